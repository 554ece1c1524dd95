// The form for marked cases: there only while some are marked.
export function watchMarks() {
  const form = document.getElementById("bulk");
  if (!form) return () => {};
  const told = document.getElementById("marked");

  function count() {
    const marked = document.querySelectorAll("#list input[name=case]:checked").length;
    form.hidden = marked === 0;
    const text = `${marked} marked`;
    if (told.textContent !== text) told.textContent = text;
  }
  document.addEventListener("change", (event) => { if (event.target.name === "case") count(); });
  count();
  return count;
}
