drawInView(JSON.parse(document.getElementById("data-charts").textContent));
