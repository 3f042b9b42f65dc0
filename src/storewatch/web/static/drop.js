"use strict";
// Takes files that are dropped on the form, and sends one after the other with its progress. Without this the
// form sends all of them at once.
const form = document.querySelector("form.drop");
const input = form.querySelector("[type=file]");
const list = form.querySelector("[data-list]");
const told = form.querySelector("[data-told]");
const most = Number(form.dataset.most);

const size = (bytes) => (bytes < 1e5 ? `${(bytes / 1e3).toFixed(1)} kB` : `${(bytes / 1e6).toFixed(1)} MB`);

const line = (file) => {
  const item = document.createElement("li");
  const name = document.createElement("b");
  const state = document.createElement("span");
  const bar = document.createElement("progress");
  name.textContent = file.name;
  bar.max = 1;
  bar.value = 0;
  bar.setAttribute("aria-label", file.name);
  state.textContent = file.size > most ? "too large" : size(file.size);
  item.append(name, " ", state, bar);
  list.append(item);
  return { file, state, bar };
};

const show = () => {
  list.replaceChildren();
  const count = input.files.length;
  told.textContent = count ? `${count === 1 ? "One file is" : `${count} files are`} chosen: now press Import.` : "";
  return [...input.files].map(line);
};

const says = (answer) => {
  try {
    return JSON.parse(answer.responseText);
  } catch {
    return {};
  }
};

const send = ({ file, state, bar }) =>
  new Promise((done) => {
    const body = new FormData();
    for (const field of form.querySelectorAll("input[name]:not([type=file])")) body.append(field.name, field.value);
    body.append("files", file);
    const request = new XMLHttpRequest();
    const end = (taken, words) => {
      state.textContent = words;
      state.className = taken ? "" : "error";
      bar.hidden = !taken;
      done(taken);
    };
    request.open("POST", form.action);
    request.setRequestHeader("Accept", "application/json");
    request.setRequestHeader("Storewatch-Drop", "1");
    request.upload.onprogress = (event) => {
      bar.value = event.loaded / event.total;
      state.textContent = `${Math.floor(100 * bar.value)}% sent`;
    };
    request.onload = () => {
      const answer = says(request);
      if (request.status === 202) {
        bar.value = 1;
        end(true, `is here: ${answer.kinds.join(", ")}`);
      } else if (request.status === 401) {
        end(false, "was not taken, for you are logged out: reload the page, log in, and choose it again");
      } else end(false, answer.detail?.replace(`${file.name}: `, "") || "was not taken: reload the page, then try again");
    };
    request.onerror = () => end(false, "could not be sent: is the service reachable? Try again");
    request.send(body);
  });

const sendAll = async (button) => {
  const lines = show();
  let taken = 0;
  button.disabled = true;
  for (const [place, each] of lines.entries()) {
    told.textContent = `Sending file ${place + 1} of ${lines.length}.`;
    taken += (await send(each)) ? 1 : 0;
  }
  button.disabled = false;
  const next = new URL(form.action);
  next.searchParams.set("received", taken);
  if (taken === lines.length) location.assign(next);
  told.textContent = `${taken} of ${lines.length} files are here.`;
  if (!taken || taken === lines.length) return;
  const link = document.createElement("a");
  link.href = next;
  link.textContent = "See what becomes of them";
  told.append(" ", link);
};

input.addEventListener("change", show);
form.addEventListener("submit", (event) => {
  event.preventDefault();
  sendAll(event.submitter || form.querySelector("button"));
});
for (const [name, over] of [["dragover", true], ["dragleave", false], ["drop", false]]) {
  form.addEventListener(name, (event) => {
    event.preventDefault();
    form.classList.toggle("over", over);
  });
}
form.addEventListener("drop", (event) => {
  if (!event.dataTransfer.files.length) return;
  input.files = event.dataTransfer.files;
  show();
  form.querySelector("button").focus();
});
