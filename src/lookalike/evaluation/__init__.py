"""How good are the answers? Data sets, metrics, robustness, experiments."""
