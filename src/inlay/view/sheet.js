const main = document.querySelector("main"), cards = [...document.querySelectorAll(".card")];
const only = new Set(), shown = document.querySelector("#shown");
function toggle(button) {
  const on = button.getAttribute("aria-pressed") !== "true";
  button.setAttribute("aria-pressed", on);
  return on;
}
function filter() {
  let count = 0;
  for (const card of cards) {
    const own = card.dataset.classes.split(" ");
    card.hidden = ![...only].every(name => own.includes(name));
    count += !card.hidden;
  }
  shown.textContent = count + " of " + cards.length + " shown";
}
const labels = document.querySelector("#labels");
labels.onclick = () => main.classList.toggle("bare", !toggle(labels));
for (const button of document.querySelectorAll("[data-class]")) button.onclick = () => {
  toggle(button) ? only.add(button.dataset.class) : only.delete(button.dataset.class);
  filter();
};
for (const card of cards) {
  card.onclick = () => card.classList.toggle("wide");
  card.onkeydown = event => { if (event.key === "Enter") card.click(); };
}
addEventListener("keydown", event => { if (event.key === "l" && !event.ctrlKey && !event.metaKey) labels.click(); });
filter();
