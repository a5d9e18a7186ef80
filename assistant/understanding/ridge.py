"""Kernel ridge regression with closed-form left-out predictions: no fold is ever fitted again.

With A = (K + λ/w)⁻¹ and duals a = A y, the prediction for a text by a model trained without it is y − a / A_ii, and
for all texts of an intent by a model trained without that intent y_c − A_cc⁻¹ a_c (Rifkin and Lippert 2007, "Notes
on Regularized Least Squares"). A itself is never formed: with K = L Lᵀ all of it follows from L⁻¹.
"""
from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.linalg import lapack


@dataclass(frozen=True)
class Ridge:
    """What was fitted, with the scores that each training text gets from models that did not see it."""

    duals: np.ndarray  # float32 [texts, intents]: scores of a new text = its kernel row @ duals
    without_text: np.ndarray  # float32 [texts, intents], the text itself left out
    without_intent: np.ndarray  # float32 [texts, intents], all texts of its intent left out; its own column is lowest


def fit(kernel: np.ndarray, starts: np.ndarray, ridge: float) -> Ridge:
    """Fit one-against-all targets of ±1.

    kernel: float32 [texts, texts], overwritten; the texts stand in order of their intents, those of intent i from
    row starts[i] to starts[i + 1]; starts: int [intents + 1]; ridge: λ, for an intent of average size.
    """
    counts = np.diff(starts)
    labels = np.repeat(np.arange(len(counts)), counts)
    targets = np.where(labels[:, None] == np.arange(len(counts)), 1.0, -1.0).astype(np.float32)
    # An intent with many phrasings must not draw its neighbours' messages: its texts weigh less.
    weights = np.sqrt(counts.mean() / counts)[labels]
    kernel[np.diag_indices_from(kernel)] += ridge / weights
    inverse = _inverse_factor(kernel)
    duals = inverse.T @ (inverse @ targets)
    without_text = targets - duals / np.einsum("ij,ij->j", inverse, inverse)[:, None]
    without_intent = np.empty_like(targets)
    for label, (start, end) in enumerate(zip(starts[:-1], starts[1:])):
        columns = inverse[start:, start:end]  # above them the factor is zero
        without_intent[start:end] = targets[start:end] - np.linalg.solve(columns.T @ columns, duals[start:end])
        without_intent[start:end, label] = without_intent.dtype.type(-2)
    return Ridge(duals, without_text, without_intent)


def _inverse_factor(kernel: np.ndarray) -> np.ndarray:
    """Return L⁻¹ for kernel = L Lᵀ; the kernel's memory is used for it (it is symmetric, so its transpose will do)."""
    factor, failed = lapack.spotrf(kernel.T, lower=1, clean=1, overwrite_a=1)
    if failed:
        raise np.linalg.LinAlgError("the kernel is not positive definite")
    return lapack.strtri(factor, lower=1, overwrite_c=1)[0]
