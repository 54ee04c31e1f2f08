"""The style of the HTML report: light and dark by the reader's setting, narrow and wide windows, and paper."""

from __future__ import annotations

STYLE = """
:root { --paper:#ffffff; --ink:#1b1f24; --soft:#57606a; --rule:#d0d7de; --sheet:#f6f8fa; --pale:#b6d4f7; --mark:#0b4f9e;
  --band:#e8ecf0; --warn:#9a5b00; --link:#0b4f9e; }
@media (prefers-color-scheme: dark) {
  :root { --paper:#12161b; --ink:#e6e9ed; --soft:#a3adb8; --rule:#39424d; --sheet:#1a2027; --pale:#274c77; --mark:#8fc1ff;
    --band:#242c35; --warn:#f0b35a; --link:#8fc1ff; } }
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; }
body { margin: 0 auto; padding: 1.5rem 1rem 3rem; max-width: 72rem; background: var(--paper); color: var(--ink);
  font: 1rem/1.55 system-ui, "Segoe UI", "Noto Sans", "PingFang TC", "Microsoft JhengHei", "Noto Sans CJK TC", sans-serif; }
h1 { font-size: 1.5rem; line-height: 1.25; margin: 0 0 1rem; overflow-wrap: anywhere; }
h2 { font-size: 1.15rem; margin: 2.2rem 0 .6rem; padding-top: .6rem; border-top: 1px solid var(--rule); }
p, li, dt, dd, td, th, caption, figcaption { overflow-wrap: anywhere; }
p { margin: .6rem 0; max-width: 46rem; }
a { color: var(--link); }
.opening { font-size: 1.08rem; max-width: 50rem; padding: .9rem 1.1rem; background: var(--sheet);
  border-left: 4px solid var(--mark); border-radius: 0 6px 6px 0; }
.opening.running, .opening.cut_off { border-left-color: var(--warn); border-left-style: dashed; }
nav ul { display: flex; flex-wrap: wrap; gap: .2rem 1.1rem; list-style: none; padding: 0; margin: 1rem 0 0; font-size: .92rem; }
.scroll { overflow-x: auto; margin: .8rem 0; }
.scroll:focus-visible, a:focus-visible { outline: 2px solid var(--mark); outline-offset: 2px; }
table { border-collapse: collapse; width: 100%; font-size: .92rem; }
caption { text-align: left; color: var(--soft); font-size: .88rem; padding-bottom: .35rem; }
th, td { text-align: left; vertical-align: top; padding: .35rem .6rem; border-bottom: 1px solid var(--rule); }
td:not(.number) { min-width: 6.5rem; }
thead th.number { min-width: 4.4rem; }
thead th:first-child.number { min-width: 0; }
thead th { border-bottom: 2px solid var(--rule); font-weight: 600; }
tbody th { font-weight: 600; }
tbody th:not(.number) { min-width: 10.5rem; }
.number { text-align: right; font-variant-numeric: tabular-nums; overflow-wrap: normal; }
td.number { white-space: nowrap; }
code { font: .88rem/1.5 ui-monospace, "DejaVu Sans Mono", Menlo, Consolas, monospace; }
dl.commands { margin: .6rem 0; }
dl.commands dt { margin-top: .7rem; }
dl.commands dd { margin: .2rem 0 0; padding: .45rem .7rem; background: var(--sheet); border-radius: 6px; }
figure { margin: 1.4rem 0 .6rem; }
figcaption { max-width: 46rem; font-size: .92rem; color: var(--soft); }
figcaption strong { color: var(--ink); }
svg { display: block; width: 100%; min-width: 38rem; height: auto; font: 13px system-ui, "Noto Sans", "PingFang TC",
  "Microsoft JhengHei", "Noto Sans CJK TC", sans-serif; }
svg text { fill: var(--ink); } svg text.soft { fill: var(--soft); }
svg .grid { stroke: var(--rule); stroke-width: 1; } svg .zero { stroke: var(--ink); stroke-width: 1.2; }
svg .expected { fill: var(--pale); } svg .middle { stroke: var(--soft); stroke-width: 1.5; }
svg .observed { stroke: var(--mark); stroke-width: 2.2; } svg .mark { fill: var(--mark); }
svg .hollow { fill: var(--paper); stroke: var(--mark); stroke-width: 2; } svg .band { fill: var(--band); }
svg .best, svg .used { fill: none; stroke: var(--mark); stroke-width: 2; }
svg .used-1 { stroke: var(--ink); } svg .used-2 { stroke: var(--warn); } svg .used-3 { stroke: var(--soft); }
footer { margin-top: 2.5rem; color: var(--soft); font-size: .88rem; }
@media print {
  :root { --paper:#fff; --ink:#000; --soft:#444; --rule:#bbb; --sheet:#f4f4f4; --pale:#cfe0f3; --mark:#003a7a; --band:#eee;
    --warn:#7a4700; --link:#000; }
  body { max-width: none; padding: 0; font-size: 10.5pt; } nav { display: none; } .scroll { overflow: visible; }
  svg { min-width: 0; } h2, figcaption, caption { break-after: avoid; } tr, figure, .opening, dd { break-inside: avoid; }
  tbody th:not(.number), thead th.number { min-width: 0; } td:not(.number) { min-width: 3.2em; }
  thead { display: table-header-group; } table { font-size: 8.5pt; } th, td { padding: .2rem .35rem; }
}
"""
