"""How the page looks: one sheet of styles, light and dark from the same names."""

STYLES = """
:root { --ground:#f5f6f7; --card:#ffffff; --ink:#1d2329; --soft:#69737d; --edge:#dfe3e7; --accent:#1f6feb;
  --line-1:#1f6feb; --line-2:#d1650f; --line-3:#8a939c; --bad:#b42318; }
.body--dark { --ground:#15181c; --card:#1d2126; --ink:#e6e9ec; --soft:#97a1ab; --edge:#2e343b; --accent:#6aa5ff;
  --line-1:#6aa5ff; --line-2:#f0954a; --line-3:#7d8790; --bad:#ff8a80; }
body { background:var(--ground) !important; color:var(--ink); font:14px/1.45 system-ui,"Segoe UI",Roboto,sans-serif; }
.nicegui-content { padding:0; gap:0; }
.page { width:100%; max-width:1400px; margin:0 auto; padding:10px 16px 16px; display:grid; gap:12px;
  grid-template-columns:236px minmax(0,1fr) minmax(0,1fr);
  grid-template-areas:"top top top" "rail scene belief" "rail below below"; grid-template-rows:auto auto 1fr; }
.top { grid-area:top; display:flex; align-items:center; gap:12px; min-height:40px; }
.top h1 { font-size:17px; font-weight:650; line-height:1.2; margin:0; letter-spacing:-.01em; }
.top .note { color:var(--soft); font-size:12.5px; }
.top .grow { flex:1; }
.status { padding:2px 10px; border-radius:99px; border:1px solid var(--edge); background:var(--card); font-size:12.5px;
  white-space:nowrap; }
.status.busy { border-color:var(--accent); color:var(--accent); }
.card { background:var(--card); border:1px solid var(--edge); border-radius:10px; padding:12px; display:flex;
  flex-direction:column; gap:8px; align-items:stretch; min-width:0; }
.rail { grid-area:rail; display:flex; flex-direction:column; gap:12px; align-items:stretch; }
.scene { grid-area:scene; } .belief { grid-area:belief; } .below { grid-area:below; padding:4px 12px 12px; }
.card h2 { font-size:13px; font-weight:650; line-height:1.3; margin:0; }
.head { display:flex; align-items:center; gap:8px; height:36px; }
.head .grow { flex:1; }
.soft { color:var(--soft); font-size:12.5px; }
.viewport { overflow:auto; max-width:100%; }
.frame { position:relative; width:min(100%, 352px); aspect-ratio:1; margin:0 auto; border-radius:6px; overflow:hidden;
  background:var(--edge); outline:1px solid var(--edge); }
.zoom-4 .frame { width:256px; } .zoom-8 .frame { width:512px; } .zoom-12 .frame { width:768px; margin:0; }
.viewport.zoom-8, .viewport.zoom-12 { max-height:520px; }
.frame img { display:block; width:100%; height:100%; image-rendering:pixelated; user-select:none; -webkit-user-drag:none; }
.frame.smooth img { image-rendering:auto; }
.frame.click { cursor:crosshair; touch-action:none; }
.frame.click:focus-visible { outline:2px solid var(--accent); outline-offset:2px; }
.frame .over, .frame .over > svg { position:absolute; inset:0; width:100%; height:100%; pointer-events:none; }
.rim { fill:none; stroke:#000a; stroke-width:14; } .mark { fill:none; stroke-width:7; }
.mark.source { stroke:#00e5ff; } .mark.target { stroke:#ff40c8; stroke-linecap:round; }
.mark.keep { stroke:#ffe45c; stroke-width:8; } .mark.arrow { stroke:#fff; stroke-width:5; opacity:.85; }
.tip { fill:#fff; } .cursor { stroke:#fff; stroke-width:2; stroke-dasharray:6 8; opacity:.8; }
.upload .q-uploader__list { display:none; }
.hint { min-height:20px; color:var(--soft); font-size:12.5px; }
.goal-image { width:44px; height:44px; border-radius:4px; image-rendering:pixelated; }
.message { font-size:13px; padding:7px 10px; border-radius:7px; border:1px solid var(--edge); background:var(--card);
  overflow-wrap:anywhere; }
.message.error { color:var(--bad); border-color:var(--bad); }
.buttons { display:flex; flex-wrap:wrap; gap:6px; align-items:center; }
.two { display:grid; grid-template-columns:1fr 1fr; gap:6px; }
.two.fields { grid-template-columns:minmax(0, 6fr) minmax(0, 7fr); }
.slide .q-slider__track-container--h { padding:6px 0; }
.slide .q-slider__thumb, .slide .q-slider__selection { transition:none; } /* fifteen layouts for every step of a run */
.slide { padding-right:8px; display:grid; grid-template-columns:104px 1fr; gap:10px; align-items:center; font-size:12.5px; }
.thumbs { display:flex; gap:6px; flex-wrap:wrap; }
.thumb { width:78px; border:2px solid transparent; border-radius:6px; overflow:hidden; cursor:pointer; padding:0;
  background:none; color:var(--soft); font-size:11.5px; text-align:center; }
.thumb img { display:block; width:100%; border-radius:4px; image-rendering:pixelated; }
.thumb.on { border-color:var(--accent); color:var(--ink); }
.thumb:hover, .thumb:focus-visible { border-color:var(--accent); outline:none; }
.fan .thumb { width:98px; }
.plans { display:grid; grid-template-columns:auto minmax(0,1fr); gap:18px; align-items:start; }
.plan-actions { display:flex; gap:10px; align-items:center; }
.plots { display:grid; grid-template-columns:repeat(auto-fit, minmax(260px, 1fr)); gap:18px; width:100%; }
.plot { margin:0; } .plot figcaption { font-size:12.5px; font-weight:600; margin-bottom:2px; }
.plot svg { width:100%; height:auto; max-height:124px; display:block; }
.plot polyline { fill:none; stroke-width:1.6; } .plot .axis { fill:none; stroke:var(--edge); }
.plot .at { stroke:var(--soft); stroke-dasharray:3 3; }
.plot text { font-size:10px; fill:var(--soft); } .plot .end { text-anchor:end; }
.plot .legend { margin:2px 0 0; display:flex; flex-wrap:wrap; gap:2px 14px; font-size:12px; color:var(--soft); }
.plot .legend b { color:var(--ink); font-weight:600; }
.plot .legend i { display:inline-block; width:10px; height:3px; border-radius:2px; margin-right:5px; vertical-align:middle; }
.plot .empty { color:var(--soft); font-size:12.5px; margin:0; }
.runs { width:100%; border-collapse:collapse; font-size:13px; }
.run { display:grid; grid-template-columns:110px minmax(0,1.6fr) 84px 100px minmax(0,1fr) 190px; gap:10px; align-items:center;
  padding:3px 0; border-bottom:1px solid var(--edge); font-size:13px; width:100%; }
.run.first { color:var(--soft); font-size:12px; }
.list { max-height:230px; overflow:auto; width:100%; }
.q-tabs { min-height:38px; } .q-tab { min-height:38px; padding:0 12px; text-transform:none; }
.q-btn { text-transform:none; border-radius:7px; }
.q-tab-panels { background:none !important; } .q-tab-panel { padding:10px 0 0; }
.q-field--dense .q-field__label { font-size:12.5px; }
.body--dark .page { --q-primary:#4b8df8; --q-negative:#e5645a; }
@media (max-width:1100px) {
  .page { grid-template-columns:minmax(0,1fr) minmax(0,1fr); padding:8px 10px 12px; gap:10px;
    grid-template-areas:"top top" "scene belief" "rail rail" "below below"; grid-template-rows:auto; }
  .rail { display:grid; grid-template-columns:1fr 1fr; } .rail .message, .rail .drive { grid-column:1 / -1; }
  .drive, .drive .two { display:grid; grid-template-columns:2fr 4fr; order:-1; }
  .drive .two { grid-template-columns:repeat(4, 1fr); order:0; }
  .plans { grid-template-columns:minmax(0,1fr); }
  .top { flex-wrap:wrap; } .top .note { order:9; flex-basis:100%; }
  .run { grid-template-columns:96px minmax(0,1.4fr) 76px 86px 190px; } .run .model { display:none; }
}
@media (max-width:620px) { .page { grid-template-columns:minmax(0,1fr);
  grid-template-areas:"top" "scene" "rail" "belief" "below"; } .rail { grid-template-columns:1fr; } }
"""
