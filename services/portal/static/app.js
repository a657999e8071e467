// Small comforts. Every page is complete without them.
(function () {
  "use strict";
  var d = document, b = d.body.dataset;
  function each(selector, act) { Array.prototype.forEach.call(d.querySelectorAll(selector), act); }

  // A second tap on "send" within a few seconds is swallowed; the server refuses it anyway.
  each("form", function (form) {
    form.addEventListener("submit", function (event) {
      if (form.method !== "post") return;
      var now = Date.now();
      if (now - (form.sentAt || 0) < 5000) { event.preventDefault(); return; }
      form.sentAt = now;
    });
  });

  // After errors, reading starts at the summary.
  var summary = d.getElementById("errors");
  if (summary) summary.focus();

  // Links of the bar open an act without asking the server for the page again.
  function open(id) {
    var fold = d.getElementById(id);
    if (!fold) return false;
    fold.open = true;
    fold.scrollIntoView();
    var title = fold.querySelector("summary");
    if (title) title.focus({ preventScroll: true });
    return true;
  }
  each("[data-open]", function (link) {
    link.addEventListener("click", function (event) { if (open(link.dataset.open)) event.preventDefault(); });
  });

  // Communities follow the chosen street.
  var street = d.getElementById("street"), community = d.getElementById("community");
  if (street && community && street.dataset.communities && window.fetch) {
    var field = d.getElementById("community-field"), button = d.getElementById("show-communities");
    if (button) button.hidden = true;
    street.addEventListener("change", function () {
      var asked = street.value;
      community.length = 1;
      community.value = "";
      field.hidden = true;
      if (!asked) return;
      fetch(street.dataset.communities + "?street=" + encodeURIComponent(asked), { headers: { accept: "application/json" } })
        .then(function (answer) { if (!answer.ok) throw answer; return answer.json(); })
        .then(function (list) {
          if (street.value !== asked) return;
          list.forEach(function (one) { community.add(new Option(one.name, one.code)); });
          field.hidden = !list.length;
        })
        .catch(function () { if (button) button.hidden = false; });
    });
  }

  // "Time left" stays current.
  function unit(n, forms) { forms = forms.split("|"); return forms[n === 1 ? 0 : 1].replace("{n}", n); }
  function length(seconds) {
    var m = Math.floor(seconds / 60), h = Math.floor(m / 60), days = Math.floor(h / 24);
    var parts = days ? [[days, b.d], [h % 24, b.h]] : h ? [[h, b.h], [m % 60, b.m]] : [[m, b.m]];
    parts = parts.filter(function (p) { return p[0] > 0; });
    return parts.length ? parts.map(function (p) { return unit(p[0], p[1]); }).join(" ") : b.moment;
  }
  function tick() {
    each("[data-due]", function (mark) {
      var left = (Date.parse(mark.dataset.due) - Date.now()) / 1000;
      mark.textContent = (left < 0 ? b.over : b.left).replace("{length}", length(Math.abs(left)));
    });
  }
  if (b.left && !/^file:/.test(location.protocol)) { tick(); setInterval(tick, 30000); }

  // Copy and print.
  each("[data-tools]", function (box) { box.hidden = false; });
  each("[data-print]", function (button) { button.addEventListener("click", function () { print(); }); });
  each("[data-copy]", function (button) {
    if (!navigator.clipboard) { button.hidden = true; return; }
    button.addEventListener("click", function () {
      navigator.clipboard.writeText(button.dataset.copy).then(function () {
        button.querySelector("span").textContent = button.dataset.copied;
      });
    });
  });
})();
