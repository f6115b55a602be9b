// Shows the query twice: as it stands in the address, and as form parameters.

import "../../static/assets/style.css";

function cell(text) {
  const cell = document.createElement("td");
  cell.textContent = text;
  return cell;
}

if (location.search) document.getElementById("query").textContent = location.search;
for (const [name, value] of new URLSearchParams(location.search)) {
  const row = document.createElement("tr");
  row.append(cell(name), cell(value));
  document.getElementById("parameters").append(row);
}
document.documentElement.dataset.ready = "true";
