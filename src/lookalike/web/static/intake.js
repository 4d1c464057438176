/** How a picture comes in as a query: dropped, pasted, chosen, photographed, or by its address. */

import { h } from "./dom.js";
import { icon } from "./icons.js";
import { t } from "./words.js";

/** Return buttons that choose a file or open the camera; `onFile` gets the file. */
export function intakeButtons(onFile) {
  const input = (attributes) =>
    h("input", {
      type: "file",
      accept: "image/*,.heic,.heif,.avif,.jxl,.tif,.tiff",
      class: "unseen",
      tabindex: "-1",
      "aria-hidden": "true",
      ...attributes,
      on: {
        change: (event) => {
          const [file] = event.target.files;
          event.target.value = "";
          if (file) onFile(file);
        },
      },
    });
  const chooser = input({ id: "chooser" });
  const camera = input({ id: "camera", capture: "environment" });
  return [
    chooser,
    camera,
    h("button", { type: "button", class: "button strong", on: { click: () => chooser.click() } }, icon("upload"), t("intake.choose")),
    h("button", { type: "button", class: "button for-touch", on: { click: () => camera.click() } }, icon("camera"), t("intake.camera")),
  ];
}

/** Return a form for the address of a picture; `onAddress` gets it. */
export function addressForm(onAddress) {
  const field = h("input", { type: "url", id: "address", required: true, placeholder: "https://", pattern: "https?://.+" });
  const submit = (event) => {
    event.preventDefault();
    onAddress(field.value.trim());
  };
  return h(
    "form",
    { class: "address-form", on: { submit } },
    h("label", { for: "address" }, t("intake.address")),
    h("div", { class: "joined" }, field, h("button", { class: "button" }, t("intake.fetch"))),
  );
}

/** Take what is dropped on the window or pasted into it until the returned function is called. */
export function listenToIntake({ onFile, onAddress, onProblem }) {
  const veil = h("div", { class: "drop-veil", hidden: true }, h("p", {}, icon("upload"), t("intake.drop")));
  document.body.append(veil);
  let depth = 0;
  let isOwn = false;
  const cover = (change) => {
    depth = Math.max(0, depth + change);
    veil.hidden = depth === 0;
  };
  const take = (data) => {
    const given = [...(data.items ?? [])].filter((item) => item.kind === "file");
    const isFolder = given.some((item) => item.webkitGetAsEntry?.()?.isDirectory);
    const file = isFolder ? null : [...data.files].find((one) => one.type.startsWith("image/") || one.type === "");
    const address = (data.getData("text/uri-list") || data.getData("text/plain")).trim().split(/\s/)[0] ?? "";
    const isAddress = /^https?:\/\//.test(address);
    if (file) onFile(file);
    else if (isAddress) onAddress(address);
    else if (given.length) onProblem(new Error(t(isFolder ? "intake.folder" : "intake.nopicture")));
    return Boolean(file) || isAddress || given.length > 0;
  };
  const listeners = {
    // A picture dragged out of this very page is no new query.
    dragstart: () => (isOwn = true),
    dragend: () => (isOwn = false),
    dragenter: (event) => !isOwn && isPicture(event) && cover(1),
    dragleave: (event) => !isOwn && isPicture(event) && cover(-1),
    dragover: (event) => !isOwn && isPicture(event) && event.preventDefault(),
    drop: (event) => {
      if (isOwn) return;
      event.preventDefault();
      cover(-depth);
      take(event.dataTransfer);
    },
    paste: (event) => {
      if (event.target.matches?.("input, textarea") && !event.clipboardData.files.length) return;
      if (take(event.clipboardData)) event.preventDefault();
    },
  };
  for (const [name, listener] of Object.entries(listeners)) addEventListener(name, listener);
  return () => {
    for (const [name, listener] of Object.entries(listeners)) removeEventListener(name, listener);
    veil.remove();
  };
}

function isPicture(event) {
  const types = [...(event.dataTransfer?.types ?? [])];
  return types.includes("Files") || types.includes("text/uri-list");
}
