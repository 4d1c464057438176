// Loaded before anything is drawn, so that a chosen theme never flashes in the other one.
"use strict";
{
  let theme = null;
  try {
    theme = localStorage.getItem("lookalike.theme");
  } catch {
    // A browser that keeps nothing follows the system.
  }
  if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
}
