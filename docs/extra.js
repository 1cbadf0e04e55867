// In a table's code `|` is written `\|`; the site's builder leaves the backslash there.
for (const code of document.querySelectorAll('td code')) {
  if (code.textContent.includes('\\|')) code.textContent = code.textContent.replaceAll('\\|', '|');
}
