// Draws the charts of the report. The data and the declarations stand in the page; colours are the page's own.
"use strict";
(() => {
  const narrow = window.matchMedia("(max-width: 40rem)");
  const whenNarrow = {
    axis: { labelFontSize: 11, titleFontSize: 11 },
    axisY: { labelLimit: 140 },
    legend: { columns: 2, labelFontSize: 11 },
  };

  // The form fields that Vega makes for a selection stand above the chart, outside of the image.
  const draw = (script) => {
    const place = document.getElementById(script.dataset.chart);
    const spec = JSON.parse(script.textContent);
    const config = narrow.matches ? whenNarrow : {};
    const bind = document.getElementById(`${script.dataset.chart}-controls`);
    return vegaEmbed(place, spec, { actions: false, ast: true, bind, config, renderer: "svg" }).catch((error) => {
      place.textContent = "This chart could not be drawn; its numbers stand in the table below.";
      console.error(error);
    });
  };

  const scripts = [...document.querySelectorAll("script[data-chart]")];
  const drawAll = () => Promise.all(scripts.map(draw)).then(() => document.body.setAttribute("data-drawn", ""));
  narrow.addEventListener("change", drawAll);
  drawAll();
})();
