"""Charts of the HTML report: Vega-Altair specifications rendered to inline SVG. Imported only when a page is made."""
