"use strict";
(() => {
  const bar = document.getElementById("filter");
  if (!bar) return;
  const element = (name) => document.getElementById("filter-" + name);
  const severity = element("severity"), rule = element("rule"), owner = element("owner"), text = element("text");
  const groups = Array.from(document.querySelectorAll("#list > .finding"), (group) => ({
    group,
    members: [group, ...group.querySelectorAll(".finding")].map((member) => ({
      severity: Number(member.dataset.severity),
      rule: member.dataset.rule,
      owners: new Set(member.dataset.owners.split(" ")),
    })),
    text: "",
  }));

  const matches = (entry, words) => {
    const fits = (member) =>
      member.severity >= Number(severity.value) &&
      (!rule.value || member.rule === rule.value) &&
      (!owner.value || member.owners.has(owner.value));
    if (!entry.members.some(fits)) return false;
    if (!words.length) return true;
    if (!entry.text) entry.text = entry.group.textContent.replace(/\s+/g, " ").toLowerCase();
    return words.every((word) => entry.text.includes(word));
  };

  const apply = () => {
    const words = text.value.toLowerCase().split(/\s+/).filter(Boolean);
    let shown = 0, all = 0;
    for (const entry of groups) {
      const fits = matches(entry, words);
      entry.group.hidden = !fits;
      all += entry.members.length;
      if (fits) shown += entry.members.length;
    }
    element("count").textContent = shown + " of " + all + " shown";
  };

  const reset = () => {
    severity.value = "0";
    rule.value = owner.value = text.value = "";
    apply();
  };

  const opened = (open) => {
    for (const entry of groups) {
      if (!entry.group.hidden) entry.group.open = open;
    }
  };

  const follow = () => {
    const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
    const group = target && target.closest("#list > .finding");
    if (!group) return;
    if (group.hidden) reset();
    group.open = target.open = true;
    target.scrollIntoView();
  };

  for (const control of [severity, rule, owner]) control.addEventListener("change", apply);
  text.addEventListener("input", apply);
  element("reset").addEventListener("click", reset);
  element("open").addEventListener("click", () => opened(true));
  element("close").addEventListener("click", () => opened(false));
  window.addEventListener("hashchange", follow);
  bar.hidden = false;
  reset();
  follow();
})();
