// Draws the charts of the report. The data and the declarations stand in the page; colours are the page's own.
"use strict";
(() => {
  const [narrow, small, medium] = [40, 50, 60].map((rem) => window.matchMedia(`(max-width: ${rem}rem)`));
  const whenNarrow = {
    axis: { labelFontSize: 11, titleFontSize: 11 },
    axisX: { titleAnchor: "end" },
    axisY: { labelLimit: 172 },
    legend: { columns: 1, labelFontSize: 11 },
  };
  // The names of many series are too wide for one line beside long labels.
  const whenMedium = () => ({ legend: { columns: small.matches ? 1 : 2 } });
  const LINES = 4, LETTERS = 24, ROW_PIXELS = 64, LINE_PIXELS = 14;

  // A label in exactly LINES lines: names beside marks stand alike only where they have as many.
  const wrapped = (label) => {
    const lines = label.split("\n").flatMap((line) => {
      const found = [""];
      for (const word of line.split(" ")) {
        const longer = `${found.at(-1)} ${word}`.trim();
        if (longer.length > LETTERS && found.at(-1)) found.push(word);
        else found[found.length - 1] = longer;
      }
      return found;
    }).filter(Boolean);
    if (lines.length > LINES) lines.splice(LINES - 1, Infinity, `${lines[LINES - 1]}…`);
    const above = Math.floor((LINES - lines.length) / 2);
    return [...Array(above).fill(""), ...lines, ...Array(LINES - lines.length - above).fill("")].join("\n");
  };
  const forNarrow = (key, value) => {
    if (typeof value === "string" && value.includes("\n")) return wrapped(value);
    if (key === "labelOffset" && value) return (-(LINES - 1) * LINE_PIXELS) / 2;
    if (key === "step" && value > LINES * LINE_PIXELS / 2) return ROW_PIXELS;
    return value;
  };

  // The form fields that Vega makes for a selection stand above the chart, outside of the image.
  const draw = (script) => {
    const place = document.getElementById(script.dataset.chart);
    const spec = JSON.parse(script.textContent, narrow.matches ? forNarrow : undefined);
    const config = narrow.matches ? whenNarrow : medium.matches ? whenMedium() : {};
    const bind = document.getElementById(`${script.dataset.chart}-controls`);
    // The image has its text; Vega would call it "Vega visualization", and say each mark of it.
    const said = (place.dataset.said ??= place.getAttribute("aria-label"));
    const hide = () => {
      place.setAttribute("role", "img");
      place.setAttribute("aria-label", said);
      place.removeAttribute("aria-roledescription");
      place.querySelector("svg").setAttribute("aria-hidden", "true");
    };
    return vegaEmbed(place, spec, { actions: false, ast: true, bind, config, renderer: "svg" }).then(hide).catch((error) => {
      place.textContent = "This chart could not be drawn; its numbers stand in the table below.";
      console.error(error);
    });
  };

  const scripts = [...document.querySelectorAll("script[data-chart]")];
  const drawAll = () => {
    document.querySelectorAll(".controls").forEach((controls) => controls.replaceChildren());
    return Promise.all(scripts.map(draw)).then(() => document.body.setAttribute("data-drawn", ""));
  };
  // Paper is narrower than the screen, but takes the charts as they are: printing does not wait for new ones.
  for (const width of [narrow, small, medium]) {
    width.addEventListener("change", () => window.matchMedia("print").matches || drawAll());
  }
  drawAll();
})();
