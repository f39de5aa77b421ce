"""How a report looks."""

STYLE = """
:root { --ink: #1f2733; --faint: #6b7685; --rule: #dfe4ea; --blue: #2f6fb2;
  --orange: #d9822b; --red: #d62728; }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 1080px; padding: 28px 24px 60px; color: var(--ink);
  background: #fff; font: 15px/1.5 system-ui, "Segoe UI", "DejaVu Sans", sans-serif; }
h1 { margin: 0 0 4px; font-size: 26px; overflow-wrap: anywhere; }
h2 { margin: 40px 0 6px; font-size: 19px; border-bottom: 1px solid var(--rule);
  padding-bottom: 4px; }
p { margin: 4px 0 12px; max-width: 78ch; }
.faint, p.note, figcaption { color: var(--faint); }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(126px, 1fr));
  gap: 12px; margin: 18px 0; }
.tile { border: 1px solid var(--rule); border-radius: 8px; padding: 10px 12px; }
.tile b { display: block; font-size: 25px; line-height: 1.25;
  font-variant-numeric: tabular-nums; }
.tile span { display: block; color: var(--faint); font-size: 13px; }
table { border-collapse: collapse; font-size: 14px; }
th, td { padding: 3px 14px 3px 0; text-align: left; vertical-align: top;
  border-bottom: 1px solid var(--rule); }
th { font-weight: 600; white-space: nowrap; }
td { overflow-wrap: anywhere; }
th.number, td.number { text-align: right; font-variant-numeric: tabular-nums; }
pre { background: #f5f7f9; border-radius: 8px; padding: 12px 14px; overflow-x: auto;
  white-space: pre-wrap; overflow-wrap: anywhere; font-size: 13px; }
.side { display: flex; flex-wrap: wrap; gap: 28px; align-items: flex-start; }
svg { display: block; max-width: 100%; height: auto; font-size: 12px; }
svg text { fill: var(--ink); }
svg text.faint { fill: var(--faint); }
svg text.on-dark { fill: #fff; font-size: 11px; }
svg text.on-light { fill: var(--ink); font-size: 11px; }
.track { fill: #eef1f4; } .bar { fill: var(--blue); } .absent { opacity: .35; }
.swatch { stroke: #9aa4b0; stroke-width: .6; } .frame { fill: none; stroke: #9aa4b0; }
.mark { stroke: #111; stroke-width: 2; }
.grid { stroke: var(--rule); } .axis { stroke: #9aa4b0; }
.line { fill: none; stroke: #444; stroke-width: 2; }
.line0 { stroke: var(--blue); } .dot0 { fill: var(--blue); }
.line1 { stroke: var(--orange); } .dot1 { fill: var(--orange); }
.dashed { stroke-dasharray: 5 4; stroke-width: 1.3; }
.gap { fill: var(--red); fill-opacity: .35; } .share { fill: #9db7d3; }
figure { margin: 0 0 22px; }
.side figure { max-width: 440px; }
figure .row { display: grid; grid-template-columns: repeat(4, 1fr); gap: 8px; }
figure img { width: 100%; display: block; border-radius: 4px; }
figcaption { overflow-wrap: anywhere; font-size: 14px; margin-bottom: 4px; }
.row span { font-size: 12px; color: var(--faint); }
.legend { display: flex; flex-wrap: wrap; gap: 4px 16px; margin: 8px 0 16px;
  font-size: 13px; }
.legend i { display: inline-block; width: 12px; height: 12px; margin-right: 6px;
  border: 1px solid #9aa4b0; vertical-align: -1px; }
@media print { h2 { break-after: avoid; } figure { break-inside: avoid; } }
"""
