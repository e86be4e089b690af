"""The style sheet of the page: for a screen, a telephone, and paper."""

STYLE = """
:root{--ink:#1d2733;--soft:#5c6b7a;--line:#d9e0e6;--paper:#fff;--ground:#f3f6f4;--accent:#00674b}
*{box-sizing:border-box}
body{margin:0;background:var(--ground);color:var(--ink);font:16px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,
"Helvetica Neue",Arial,sans-serif}
main{max-width:60rem;margin:0 auto;padding:1.5rem 1rem 3rem}
header{border-bottom:3px solid var(--accent);padding-bottom:.75rem;margin-bottom:1.25rem}
header p{margin:.1rem 0;color:var(--soft)}
h1{font-size:1.9rem;line-height:1.2;margin:.2rem 0 .4rem;overflow-wrap:anywhere}
h2{font-size:1.2rem;margin:0 0 .6rem}
.kind{color:var(--accent);font-weight:600;letter-spacing:.02em}
section{background:var(--paper);border:1px solid var(--line);border-radius:.6rem;padding:1.1rem 1.2rem;margin:0 0 1rem}
.tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(10.5rem,1fr));gap:.8rem;margin-bottom:1rem}
.tile{background:var(--paper);border:1px solid var(--line);border-radius:.6rem;padding:.8rem 1rem}
.tile strong{display:block;font-size:1.9rem;line-height:1.15;font-variant-numeric:tabular-nums}
.tile span{color:var(--soft);font-size:.88rem}
.main{border-left:.4rem solid var(--accent)}
.note{color:var(--soft);font-size:.92rem;margin:.2rem 0 .8rem}
.warn{background:#fff6dd;border-color:#e7cf86}
.chart{width:100%;border-collapse:collapse;font-variant-numeric:tabular-nums}
.chart th{font-weight:500;text-align:left;padding:.22rem .8rem .22rem 0;white-space:nowrap;max-width:14rem;
overflow:hidden;text-overflow:ellipsis}
.chart td{padding:.22rem 0 .22rem .8rem;color:var(--soft);font-size:.9rem;white-space:nowrap}
.chart .track{width:60%;padding-left:0}
.track div{position:relative;height:1.05rem;background:#eef2f4;border-radius:.2rem}
.track b{display:block;height:100%;border-radius:.2rem;min-width:1px;box-shadow:inset 0 0 0 1px rgba(0,0,0,.12)}
.track i{position:absolute;top:50%;height:0;border-top:2px solid var(--ink);opacity:.65}
.map{width:100%;height:auto;display:block}
.map polygon{stroke:#fff;stroke-width:.6}
.map .blank{fill:#fff;stroke:#8a8f98;stroke-dasharray:3 3}
.map circle{stroke:#fff;stroke-width:.4}
.map .bar{fill:none;stroke:var(--ink);stroke-width:2}
.map .north{fill:var(--ink)}
.map text{font-size:13px;fill:var(--soft)}
.keys{display:flex;flex-wrap:wrap;gap:.3rem 1.1rem;margin:.5rem 0 0;padding:0;list-style:none;color:var(--soft);
font-size:.9rem}
.keys i{display:inline-block;width:.7rem;height:.7rem;border-radius:50%;margin-right:.4rem}
.pictures{display:grid;grid-template-columns:repeat(auto-fill,minmax(9.5rem,1fr));gap:.9rem}
figure{margin:0}
figure img,figure .none{display:flex;width:100%;aspect-ratio:1;object-fit:cover;border-radius:.4rem;background:#eef2f4;
color:var(--soft);align-items:center;justify-content:center;font-size:.85rem}
figcaption{font-size:.84rem;line-height:1.35;margin-top:.3rem;overflow-wrap:anywhere}
figcaption span{color:var(--soft);display:block}
.pair{display:grid;grid-template-columns:repeat(auto-fit,minmax(17rem,1fr));gap:1rem}
.pair section{margin:0}
.list{width:100%;border-collapse:collapse}
.list td{padding:.15rem 0;border-bottom:1px solid var(--line)}
.list td:last-child{text-align:right;font-variant-numeric:tabular-nums}
footer{color:var(--soft);font-size:.85rem;overflow-wrap:anywhere}
@media(max-width:34rem){.chart td:last-child{display:block;padding-left:0}.chart .track{width:45%}}
@media print{body{background:#fff;font-size:11pt}main{max-width:none;padding:0}section,.tile{break-inside:avoid}
.track b,.map polygon,.map circle,.keys i{-webkit-print-color-adjust:exact;print-color-adjust:exact}}
"""
