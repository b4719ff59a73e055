"use strict";
// Charts, each drawn where its id stands when that comes into view; then whoever asked gets the id and the view.
const drawInView = (() => {
  const CONFIG = {
    background: null, font: "system-ui, sans-serif", view: { stroke: null },
    axis: { labelColor: "var(--muted)", titleColor: "var(--muted)", gridColor: "var(--line)", domainColor: "var(--line)",
            tickColor: "var(--line)", labelFontSize: 12, titleFontSize: 12, titleFontWeight: "normal", titlePadding: 10,
            domain: false, ticks: false, labelPadding: 6 },
    axisX: { grid: false, domain: true },
    legend: { labelColor: "var(--text)", titleColor: "var(--muted)", titleFontWeight: "normal", orient: "top", labelFontSize: 12,
              titleFontSize: 12 },
    text: { color: "var(--text)", fontSize: 12 }, rule: { color: "var(--muted)" },
    line: { color: "var(--accent)" }, area: { color: "var(--accent)" }, bar: { color: "var(--accent)" },
  };
  const OPTIONS = { mode: "vega-lite", renderer: "svg", actions: false, ast: true, defaultStyle: false,
                    tooltip: { disableDefaultStyle: true }, config: CONFIG };
  return (specs, drawn = () => {}) => {
    const watch = new IntersectionObserver((seen) => {
      for (const { isIntersecting, target } of seen) {
        if (!isIntersecting) continue;
        watch.unobserve(target);
        vegaEmbed(target, specs[target.id], OPTIONS).then(({ view }) => drawn(target.id, view));
      }
    }, { rootMargin: "300px" });
    for (const id of Object.keys(specs)) {
      const place = document.getElementById(id);
      if (place) { place.replaceChildren(); watch.observe(place); }
    }
  };
})();
