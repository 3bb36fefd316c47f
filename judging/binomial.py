"""Exact binomial tails and the bounds that invert them; vectorised, and defined at every edge."""

from __future__ import annotations

from typing import TYPE_CHECKING

from judging.numerics import np, special

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray


def _reals(*parts: ArrayLike) -> tuple[NDArray[np.float64], ...]:
    return tuple(np.asarray(part, dtype=float) for part in parts)


def at_most(hits: ArrayLike, trials: ArrayLike, share: ArrayLike) -> NDArray[np.float64]:
    """Return P(X <= hits) for X ~ Binomial(trials, share), through the regularised incomplete beta function.

    Source: Abramowitz and Stegun 26.5.24. Below zero hits it is 0, from `trials` hits on it is 1.
    """
    x, n, p = _reals(hits, trials, share)
    inside = special.betaincc(np.clip(x, 0, None) + 1, np.clip(n - x, 1, None), p)
    return np.where(x < 0, 0.0, np.where(x >= n, 1.0, inside))


def at_least(hits: ArrayLike, trials: ArrayLike, share: ArrayLike) -> NDArray[np.float64]:
    """Return P(X >= hits) for X ~ Binomial(trials, share). Source: Abramowitz and Stegun 26.5.24."""
    x, n, p = _reals(hits, trials, share)
    inside = special.betainc(np.clip(x, 1, None), np.clip(n - x, 0, None) + 1, p)
    return np.where(x <= 0, 1.0, np.where(x > n, 0.0, inside))


def upper_bound(hits: ArrayLike, trials: ArrayLike, alpha: ArrayLike) -> NDArray[np.float64]:
    """Return the share p with P(X <= hits | p) = alpha: one-sided upper bound of Clopper and Pearson (1934)."""
    x, n, level = _reals(hits, trials, alpha)
    inside = special.betainccinv(x + 1, np.clip(n - x, 1, None), level)
    return np.where(x >= n, 1.0, inside)


def lower_bound(hits: ArrayLike, trials: ArrayLike, beta: ArrayLike) -> NDArray[np.float64]:
    """Return the share p with P(X >= hits | p) = beta: one-sided lower bound of Clopper and Pearson (1934)."""
    x, n, level = _reals(hits, trials, beta)
    inside = special.betaincinv(np.clip(x, 1, None), np.clip(n - x, 0, None) + 1, level)
    return np.where(x <= 0, 0.0, inside)
