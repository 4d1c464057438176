"""What other packages add: features, models, ways and tiers.

A package names a module of its own under the entry point group ``lookalike``::

    [project.entry-points.lookalike]
    faces = "my_package.faces"

The module is imported before features, ways or tiers are listed, and registers what it brings: a feature with
`lookalike.features.feature.register`, a model by an entry of `lookalike.features.embedding.catalogue.CATALOGUE`.
"""

from __future__ import annotations

from functools import cache
from importlib.metadata import entry_points

from lookalike.errors import PluginError

GROUP = "lookalike"


@cache
def load_plugins() -> None:
    """Import what is installed under the group, once in a process.

    Raises
    ------
    PluginError    a plug-in cannot be imported; the message names it
    """
    for point in entry_points(group=GROUP):
        try:
            point.load()
        except Exception as error:  # whatever the module of somebody else may raise
            name = point.dist.name if point.dist is not None else point.value
            raise PluginError(
                f"the plug-in {point.name} of the package {name} cannot be loaded "
                f"({type(error).__name__}: {error}): mend or uninstall that package."
            ) from error
