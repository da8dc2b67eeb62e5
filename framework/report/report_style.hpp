#pragma once

#include <string_view>

namespace retort::host {

/// The style sheet of report.html: light or dark as the reader's system is, and one column on a
/// phone.
inline constexpr std::string_view kReportStyle = R"css(
:root{color-scheme:light dark;--bg:#fff;--ink:#1c2024;--dim:#5b6570;--line:#d9dee3;--card:#f6f8fa;
--bar:#cfe0f5;--same:55 120 200;--other:214 100 20;
--c0:#6b7280;--c1:#c2570c;--c2:#1d63b8;--c3:#15803d;--c4:#9333a8;--c5:#a16207}
@media (prefers-color-scheme:dark){:root{--bg:#14171a;--ink:#e4e8ec;--dim:#98a2ad;--line:#343b43;
--card:#1c2126;--bar:#24405f;--same:80 150 235;--other:235 130 50;
--c0:#a3adb8;--c1:#f59a4c;--c2:#6aaef5;--c3:#5cc98a;--c4:#d38cf0;--c5:#e0b74a}}
*{box-sizing:border-box}
body{margin:0 auto;max-width:76rem;padding:1rem;background:var(--bg);color:var(--ink);
font:15px/1.5 system-ui,sans-serif;overflow-wrap:anywhere}
h1{font-size:1.5rem;margin:.2rem 0}h2{font-size:1.15rem;margin:2rem 0 .6rem}
h3{font-size:1rem;margin:1.2rem 0 .4rem}
p.facts,small{color:var(--dim)}p.facts{margin:.2rem 0 1rem}
.charts{display:grid;gap:1rem;grid-template-columns:repeat(auto-fill,minmax(min(22rem,100%),1fr))}
figure{margin:0;padding:.8rem;background:var(--card);border:1px solid var(--line);border-radius:6px}
svg{display:block;width:100%;height:auto}
svg text{fill:var(--dim);font-size:12px}
svg .grid{stroke:var(--line)}
polyline{fill:none;stroke:var(--c);stroke-width:2;stroke-linejoin:round}
circle{fill:var(--c);stroke:transparent;stroke-width:10}
.legend{display:flex;flex-wrap:wrap;gap:0 1rem;margin:.2rem 0 .4rem;font-size:.87rem}
.key::before{content:"";display:inline-block;width:.9em;height:.2em;margin-right:.4em;
vertical-align:.25em;background:var(--c)}
.scroll{overflow:auto;max-width:100%}.tall{max-height:32rem}
table{border-collapse:collapse;font-variant-numeric:tabular-nums;overflow-wrap:normal}
th,td{padding:.25rem .6rem;text-align:right;border-bottom:1px solid var(--line)}
th{text-align:left;font-weight:600}thead th{text-align:right;color:var(--dim);font-size:.87rem}
thead th:first-child{text-align:left}thead th{white-space:nowrap}
th:first-child{position:sticky;left:0;background:var(--bg)}figure{--bg:var(--card)}
.bar{background:linear-gradient(to right,var(--bar) var(--v),transparent 0);min-width:6rem}
.same{background:rgb(var(--same)/var(--a))}.other{background:rgb(var(--other)/var(--a))}
.same,.other{text-align:center}
details{margin:.5rem 0}summary{cursor:pointer;color:var(--dim)}
details.run{margin:1rem 0;padding:.2rem .8rem;border:1px solid var(--line);border-radius:6px}
details.run>summary{color:var(--ink);font-weight:600}
pre{margin:.4rem 0;padding:.8rem;overflow:auto;background:var(--card);border:1px solid var(--line);
border-radius:6px;font:13px/1.45 ui-monospace,monospace;overflow-wrap:normal}
)css";

}  // namespace retort::host
