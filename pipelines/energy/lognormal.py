"""Log-normal factors given by their P5 and P95, as Oviedo et al. state power utilisation, PUE and gains."""

from dataclasses import dataclass

import numpy as np

from pipelines.energy.normal import ndtri

Z95 = 1.645
"""The paper's rounded 95 % point of the normal distribution (method 1: sigma = (ln hi - ln lo) / (2 · 1.645))."""


@dataclass(frozen=True)
class LogNormal:
    """exp(N(mu, sigma²)). Dimensionless unless the caller says otherwise; sigma 0 is a constant."""

    mu: float
    sigma: float

    @classmethod
    def from_p5_p95(cls, low: float, high: float) -> "LogNormal":
        """Raises ValueError unless 0 < low <= high."""
        if not 0 < low <= high:
            raise ValueError(f"P5 {low} and P95 {high} must satisfy 0 < P5 <= P95")
        mu = (np.log(low) + np.log(high)) / 2
        sigma = (np.log(high) - np.log(low)) / (2 * Z95)
        return cls(float(mu), float(sigma))

    @property
    def median(self) -> float:
        return float(np.exp(self.mu))

    @property
    def half_width_ln(self) -> float:
        """Of the 90 % interval from P5 to P95, in ln."""
        return Z95 * self.sigma

    @property
    def p5(self) -> float:
        return float(np.exp(self.mu - self.half_width_ln))

    @property
    def p95(self) -> float:
        return float(np.exp(self.mu + self.half_width_ln))

    @property
    def mean(self) -> float:
        return float(np.exp(self.mu + self.sigma**2 / 2))

    @property
    def inverse(self) -> "LogNormal":
        """1/X."""
        return LogNormal(-self.mu, self.sigma)

    def __mul__(self, other: "LogNormal") -> "LogNormal":
        """The product of two independent factors."""
        return LogNormal(self.mu + other.mu, float(np.hypot(self.sigma, other.sigma)))

    def quantile(self, p: float) -> float:
        return float(np.exp(self.mu + self.sigma * ndtri(p)))


ONE = LogNormal(0.0, 0.0)
"""The factor that changes nothing: PUE at the boundary of the node."""
