# SPDX-License-Identifier: Apache-2.0
"""Fig. 4: a t-SNE map of single frames' binary masks, coloured by what the frames hold."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from dyncp.base.tasks import Task
from dyncp.evaluation.paper.results import Embedding
from dyncp.evaluation.plotting import plots
from dyncp.train.probes.data import ProbeData

if TYPE_CHECKING:
    from matplotlib.axes import Axes

FRAMES = 4000
COMPONENTS = 32
PERPLEXITY = 30.0
NEIGHBOURS = 10
DOTS: dict[str, Any] = {"s": 4, "linewidths": 0, "rasterized": True}


def embed_masks(
    data: ProbeData, informative: NDArray[np.bool_], frames: int = FRAMES
) -> tuple[Embedding, NDArray[np.float32], NDArray[np.intp]]:
    """PCA to 32 components, then t-SNE: figures about the map, its points [n, 2], and the frames that they are [n].

    informative bool [blocks · N]. The frames are drawn at random, with a fixed seed.
    """
    from sklearn.decomposition import PCA
    from sklearn.manifold import TSNE

    total = data.observation.frames
    chosen = np.sort(np.random.default_rng(0).choice(total, min(frames, total), replace=False))
    bits = data.observation.masks.reshape(total, -1)[chosen][:, informative].astype(np.float32)
    components = min(COMPONENTS, *bits.shape)
    pca = PCA(components, random_state=0)
    reduced = pca.fit_transform(bits)
    perplexity = min(PERPLEXITY, (len(chosen) - 1) / 3)
    points = TSNE(2, perplexity=perplexity, init="pca", random_state=0).fit_transform(reduced)
    classes = [task for task in data.tasks if task.kind != "regression"]
    scored = {task.name: purity(points, data.labels[task.name][chosen], data.used(task)[chosen]) for task in classes}
    found = Embedding(
        frames=len(chosen),
        components=components,
        variance=float(pca.explained_variance_ratio_.sum()),
        perplexity=perplexity,
        purity={name: value[0] for name, value in scored.items() if value is not None},
        chance={name: value[1] for name, value in scored.items() if value is not None},
    )
    return found, points, chosen


def purity(points: NDArray[Any], labels: NDArray[Any], used: NDArray[np.bool_]) -> tuple[float, float] | None:
    """Share of the ten nearest points that have a point's class, over points [n, 2] that are used, and by chance.

    None for fewer than twelve points.
    """
    from sklearn.neighbors import NearestNeighbors

    points, labels = points[used], labels[used]
    if len(points) < NEIGHBOURS + 2:
        return None
    _, near = NearestNeighbors(n_neighbors=NEIGHBOURS).fit(points).kneighbors()
    shares = np.unique(labels, return_counts=True)[1] / len(labels)
    return float((labels[near] == labels[:, None]).mean()), float(np.square(shares).sum())


def draw_embedding(data: ProbeData, points: NDArray[np.float32], chosen: NDArray[np.intp], folder: Path) -> None:
    """One panel per task: embedding.png and .svg."""
    columns = min(3, len(data.tasks))
    with plots.drawn(folder, "embedding", 3.3 * columns, 3.5 * -(-len(data.tasks) // columns)) as figure:
        for axes, task in zip(plots.panels(figure, len(data.tasks), columns), data.tasks, strict=True):
            axes.set_title(plots.title(task.name, task.unit))
            axes.set(xticks=[], yticks=[])
            axes.spines[:].set_visible(False)
            used = data.used(task)[chosen]
            axes.scatter(*points[~used].T, color=plots.UNDEFINED, **DOTS)
            if used.any():
                colour = _by_quantity if task.kind == "regression" else _by_class
                colour(axes, points[used], data.labels[task.name][chosen][used], task)


def _by_quantity(axes: Axes, points: NDArray[np.float32], labels: NDArray[Any], task: Task) -> None:
    low, high = np.percentile(labels, (2, 98))
    x, y = points.T
    dots = axes.scatter(x, y, c=labels, cmap=plots.SEQUENTIAL, vmin=low, vmax=high, **DOTS)
    axes.figure.colorbar(dots, cax=axes.inset_axes((0.12, -0.05, 0.76, 0.03)), orientation="horizontal")


def _by_class(axes: Axes, points: NDArray[np.float32], labels: NDArray[Any], task: Task) -> None:
    names = task.classes or ["no", "yes"]
    for index in np.unique(labels).astype(int):
        axes.scatter(*points[labels == index].T, color=plots.colour(index), label=names[index], **DOTS)
    # As many names to a row as fit.
    columns = max(1, min(3, 40 // (max(map(len, names)) + 3)))
    axes.legend(
        loc="upper center", bbox_to_anchor=(0.5, 0.0), ncols=columns, markerscale=3.2, fontsize=7.5, handletextpad=0.1,
        columnspacing=0.8, borderpad=0,
    )  # fmt: skip
