/** The address bar: whoever changes it does so here, and pages listen. */

const listeners = new Set();

// Pages bring back their own scroll position, for what was scrolled to may have to be fetched first.
history.scrollRestoration = "manual";

/** Call a listener with the new location whenever it changes. */
export function onNavigate(listener) {
  listeners.add(listener);
}

/** Go to an address of this page; `replace` leaves no entry to go back to. */
export function navigate(address, { replace = false, state = {} } = {}) {
  if (replace) history.replaceState(state, "", address);
  else {
    noteScroll();
    history.pushState(state, "", address);
  }
  tell("link");
}

/** Keep how far the page is scrolled with the entry that is being left. */
function noteScroll() {
  history.replaceState({ ...history.state, scroll: window.scrollY }, "");
}

function tell(cause) {
  for (const listener of listeners) listener(cause);
}

addEventListener("popstate", () => tell("history"));
addEventListener("pagehide", noteScroll);

document.addEventListener("click", (event) => {
  const link = event.target.closest?.("a[data-inside]");
  const isPlain = event.button === 0 && !event.metaKey && !event.ctrlKey && !event.shiftKey && !event.altKey;
  if (!link || !isPlain || event.defaultPrevented) return;
  event.preventDefault();
  navigate(link.getAttribute("href"));
});
