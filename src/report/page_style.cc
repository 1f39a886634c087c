// How pages look: one style sheet in two colour schemes, and a script for hover texts and sorting.
#include "report/page.h"

namespace fogline {
namespace {

constexpr std::string_view kStyle =
#define FOGLINE_COLOUR(name, light, dark) "--" #name ":" light ";"
    ":root{"
#include "report/colours.inc"
#undef FOGLINE_COLOUR
#define FOGLINE_COLOUR(name, light, dark) "--" #name ":" dark ";"
    "}@media(prefers-color-scheme:dark){:root{"
#include "report/colours.inc"
#undef FOGLINE_COLOUR
    "}}"
    R"css(
:root{--bg:#f6f7f9;--card:#fff;--ink:#1c2430;--dim:#5b6675;--faint:#667080;--rule:#e4e8ee;--grid:#edf0f4;
--band:#f1f4f8;--band2:#e6ebf2;--mark:#1c2430;--t0:var(--edge);--t1:var(--cloud);--t2:var(--network);--t3:var(--split);
--t4:#cf4a4a;--t5:#118fa0;--t6:#80891f;--t7:#64748b;--t8:var(--encode);--t9:var(--decode)}
@media(prefers-color-scheme:dark){:root{--bg:#0f141b;--card:#171e27;--ink:#e6ebf2;--dim:#9aa6b5;--faint:#8b98a8;
--rule:#283240;--grid:#222c38;--band:#1b2430;--band2:#222d3b;--mark:#e6ebf2;--t4:#f07b7b;--t5:#45c1d1;--t6:#bcc553;--t7:#93a3b8}}
*{box-sizing:border-box}
body{margin:0;background:var(--bg);color:var(--ink);font:15px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,sans-serif}
main{max-width:1080px;margin:0 auto;padding:32px 20px 64px}
header h1{font-size:26px;line-height:1.2;margin:0 0 4px;letter-spacing:-.01em;overflow-wrap:anywhere}
header p,figcaption p,.view p,.text{color:var(--dim);margin:0 0 12px;overflow-wrap:anywhere}
h2{font-size:17px;margin:0 0 2px}
figure,section,details,.tiles>div{background:var(--card);border:1px solid var(--rule);border-radius:10px}
figure,section{margin:20px 0 0;padding:18px 20px 14px}
details{margin:20px 0 0;padding:12px 20px}
summary{cursor:pointer;font-weight:600}
.tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(150px,1fr));gap:12px;margin:20px 0 0}
.tiles>div{padding:12px 16px;display:flex;flex-direction:column}
.tiles span{color:var(--dim);font-size:13px}.tiles b{font-size:22px;font-weight:650;letter-spacing:-.01em}
.tiles+.text{margin-top:20px}
.tiles small{color:var(--faint);overflow-wrap:anywhere}
svg{display:block;width:100%;height:auto;overflow:visible;font-size:12px;font-family:inherit}
.tick{fill:var(--dim);font-variant-numeric:tabular-nums}.axis{fill:var(--faint)}
.grid{stroke:var(--grid)}.base{stroke:var(--faint)}
.band{fill:var(--band)}.band.strong{fill:var(--band2)}
.mark{stroke:var(--mark);stroke-opacity:.55;stroke-width:1}.mark.weak{stroke-opacity:.16}
.hit{fill:transparent}.hit:hover{fill:var(--ink);fill-opacity:.09}
.line{fill:none;stroke-width:2;stroke-linejoin:round}.area{fill-opacity:.16;stroke:none}
.dot{stroke:var(--card);stroke-width:1.5}.dot:hover{stroke:var(--ink)}
.bar.t0,.dot.t0,.area.t0{fill:var(--t0)}.line.t0{stroke:var(--t0)}i.t0{background:var(--t0)}
.bar.t1,.dot.t1,.area.t1{fill:var(--t1)}.line.t1{stroke:var(--t1)}i.t1{background:var(--t1)}
.bar.t2,.dot.t2,.area.t2{fill:var(--t2)}.line.t2{stroke:var(--t2)}i.t2{background:var(--t2)}
.bar.t3,.dot.t3,.area.t3{fill:var(--t3)}.line.t3{stroke:var(--t3)}i.t3{background:var(--t3)}
.bar.t4,.dot.t4,.area.t4{fill:var(--t4)}.line.t4{stroke:var(--t4)}i.t4{background:var(--t4)}
.bar.t5,.dot.t5,.area.t5{fill:var(--t5)}.line.t5{stroke:var(--t5)}i.t5{background:var(--t5)}
.bar.t6,.dot.t6,.area.t6{fill:var(--t6)}.line.t6{stroke:var(--t6)}i.t6{background:var(--t6)}
.bar.t7,.dot.t7,.area.t7{fill:var(--t7)}.line.t7{stroke:var(--t7)}i.t7{background:var(--t7)}
.bar.t8{fill:var(--t8)}i.t8{background:var(--t8)}.bar.t9{fill:var(--t9)}i.t9{background:var(--t9)}
.outline{fill:none;stroke:var(--faint);stroke-dasharray:3 2}.forecast{stroke:var(--ink);stroke-width:2}
.legend i.outline{border:1px dashed var(--faint)}.legend i.forecast{background:var(--ink);height:2px;border-radius:0;vertical-align:middle}
.legend{display:flex;flex-wrap:wrap;gap:4px 18px;font-size:13px;color:var(--dim);margin:0 0 8px}
.legend i{display:inline-block;width:10px;height:10px;border-radius:2px;margin-right:6px}
figure>input{position:absolute;opacity:0;pointer-events:none}
figure>label{display:inline-block;font-size:13px;color:var(--dim);border:1px solid var(--rule);padding:1px 12px;
cursor:pointer;margin:8px 0}
figure>label:first-of-type{border-radius:6px 0 0 6px}figure>label:last-of-type{border-radius:0 6px 6px 0}
figure>label+input+label{border-left:0}
figure>input:checked+label{background:var(--band2);color:var(--ink)}
figure>input:focus-visible+label{outline:2px solid var(--t2)}
figure:has(>input) .view{display:none}
figure:has(>input:nth-of-type(1):checked) .view:nth-of-type(1),
figure:has(>input:nth-of-type(2):checked) .view:nth-of-type(2),
figure:has(>input:nth-of-type(3):checked) .view:nth-of-type(3),
figure:has(>input:nth-of-type(4):checked) .view:nth-of-type(4){display:block}
.view{overflow-x:auto}
@media(max-width:700px){.view>svg{min-width:640px}.view>p,.view>.legend{position:sticky;left:0}}
.scroll{overflow:auto;max-height:620px;margin-top:8px}
table{border-collapse:collapse;width:100%;font-size:13px;font-variant-numeric:tabular-nums}
th{position:sticky;top:0;background:var(--card);text-align:left;font-weight:600;color:var(--dim);cursor:pointer;
box-shadow:inset 0 -1px var(--rule);white-space:nowrap;user-select:none}
th,td{padding:5px 14px 5px 0;vertical-align:top}td{border-bottom:1px solid var(--grid);overflow-wrap:anywhere}td:not(.r){min-width:11ch}
th.r,td.r{text-align:right;white-space:nowrap}tr.weak td{color:var(--faint)}tr.strong td{font-weight:600}
th[data-dir="1"]:after{content:" ↑"}th[data-dir="-1"]:after{content:" ↓"}
.save{float:right;border:1px solid var(--rule);border-radius:6px;background:none;color:var(--dim);font:inherit;font-size:12.5px;padding:1px 10px;cursor:pointer}
.save:hover{color:var(--ink)}details>.save{margin-top:2px}details:not([open])>.save{display:none}
#tip{position:fixed;z-index:9;pointer-events:none;background:var(--ink);color:var(--bg);font-size:12.5px;line-height:1.45;
padding:7px 10px;border-radius:7px;max-width:380px;white-space:pre-line;overflow-wrap:anywhere;
box-shadow:0 4px 16px rgba(0,0,0,.22)}
#tip[hidden]{display:none}
.cell{fill:var(--band)}.cell.right{fill:var(--t1)}.cell.wrong{fill:var(--t4)}.cell:hover{stroke:var(--ink)}
.cell.s0{fill:var(--band);fill-opacity:1}.cell.s1{fill-opacity:.12}.cell.s2{fill-opacity:.2}.cell.s3{fill-opacity:.28}
.cell.s4{fill-opacity:.37}.cell.s5{fill-opacity:.46}.cell.s6{fill-opacity:.55}.cell.s7{fill-opacity:.66}
.cell.s8{fill-opacity:.77}.cell.s9{fill-opacity:.88}
.cellnote{fill:var(--ink);font-size:14px;font-weight:600;pointer-events:none}.cellnote.strong{fill:var(--card)}
.gallery{display:grid;grid-template-columns:repeat(auto-fill,minmax(210px,1fr));gap:18px 16px;margin:12px 0 4px;align-items:end}
.gallery>div{display:flex;flex-direction:column;min-width:0}
.shot{position:relative;display:block;border-radius:8px;overflow:hidden;background:var(--band);margin-bottom:8px}
.shot img{display:block;width:100%;height:auto}
.shot i{position:absolute;border:1.5px dashed #fff;border-radius:3px;box-shadow:0 0 0 999px rgba(0,0,0,.4)}
.shot i.hit,.shot i.miss,.shot i.alarm{box-shadow:none;border:2px solid #45b892}
.shot i.miss{border:2px dashed #e59440}
.shot i.alarm{border-color:#ff7ab2}
.gallery b{font-weight:600;font-size:14px;overflow-wrap:anywhere}.gallery small{color:var(--dim);overflow-wrap:anywhere}
.gallery em{display:block;height:4px;border-radius:2px;background:var(--band2);margin-top:6px;overflow:hidden}
.gallery s{display:block;height:100%;background:var(--t4)}
@media print{.save{display:none}body{background:#fff}figure,section{break-inside:avoid}.scroll{max-height:none}}
)css";

constexpr std::string_view kScript = R"js(
(function(){
var tip=document.getElementById('tip');
function place(e){
  var t=e.target.closest&&e.target.closest('[data-tip]');
  if(!t){tip.hidden=true;return}
  tip.textContent=t.getAttribute('data-tip');
  tip.hidden=false;
  var x=e.clientX+14,y=e.clientY+14,r=tip.getBoundingClientRect();
  if(x+r.width>innerWidth-8)x=e.clientX-r.width-14;
  if(y+r.height>innerHeight-8)y=e.clientY-r.height-14;
  tip.style.left=Math.max(8,x)+'px';tip.style.top=Math.max(8,y)+'px';
}
var kept=['fill','fill-opacity','stroke','stroke-width','stroke-dasharray','stroke-opacity','stroke-linejoin','opacity','font-size','font-weight','text-anchor'];
function drawing(svg){
  var copy=svg.cloneNode(true),from=svg.querySelectorAll('*'),to=copy.querySelectorAll('*');
  [].forEach.call(from,function(e,i){
    var style=getComputedStyle(e);
    kept.forEach(function(name){to[i].setAttribute(name,style.getPropertyValue(name))});
    to[i].removeAttribute('class');to[i].removeAttribute('data-tip');
  });
  copy.setAttribute('font-family',getComputedStyle(document.body).fontFamily);
  var ground=document.createElementNS(svg.namespaceURI,'rect');
  ground.setAttribute('width','100%');ground.setAttribute('height','100%');
  ground.setAttribute('fill',getComputedStyle(document.documentElement).getPropertyValue('--card'));
  copy.insertBefore(ground,copy.firstChild);
  return new XMLSerializer().serializeToString(copy);
}
function cell(c){
  var t=c.dataset.v===undefined?c.textContent:c.dataset.v;
  if(c.dataset.v===undefined&&/^\s*[=+\-@]/.test(t))t="'"+t;
  return /[",\r\n']/.test(t)?'"'+t.replace(/"/g,'""')+'"':t;
}
function figures(table){
  return [].map.call(table.rows,function(r){return [].map.call(r.cells,cell).join(',')}).join('\r\n')+'\r\n';
}
function offer(place,kind,type,text){
  var b=document.createElement('button'),title=place.querySelector('h2,summary').textContent;
  b.className='save';b.textContent=kind;b.setAttribute('aria-label','Save '+title+' as '+kind);
  b.addEventListener('click',function(){
    var a=document.createElement('a');
    var address=URL.createObjectURL(new Blob([text()],{type:type}));
    a.setAttribute('href',address);
    a.download=title.toLowerCase().replace(/[^a-z0-9]+/g,'-')+'.'+kind.toLowerCase();
    a.click();
    setTimeout(function(){URL.revokeObjectURL(address)},60000);
  });
  place.matches('details')?place.querySelector('summary').after(b):place.insertBefore(b,place.firstChild);
}
document.querySelectorAll('figure').forEach(function(f){
  if(!f.querySelector('.view>svg'))return;
  offer(f,'SVG','image/svg+xml',function(){
    return drawing([].filter.call(f.querySelectorAll('.view>svg'),function(s){return s.getClientRects().length>0})[0]);
  });
});
document.querySelectorAll('section,details').forEach(function(s){
  var table=s.querySelector('table');
  if(table&&s.querySelector('h2,summary'))offer(s,'CSV','text/csv',function(){return figures(table)});
});
document.addEventListener('pointermove',place);
document.addEventListener('pointerdown',place);
document.addEventListener('pointerleave',function(){tip.hidden=true});
// What scrolls can be reached by the keyboard, too.
function reach(){
  document.querySelectorAll('.view,.scroll').forEach(function(e){
    if(e.scrollWidth>e.clientWidth+1||e.scrollHeight>e.clientHeight+1)e.tabIndex=0;else e.removeAttribute('tabindex');
  });
}
addEventListener('resize',reach);document.addEventListener('toggle',reach,true);document.addEventListener('change',reach);reach();
document.querySelectorAll('th').forEach(function(th){
  th.tabIndex=0;
  th.addEventListener('keydown',function(e){if(e.key==='Enter'||e.key===' '){e.preventDefault();th.click()}});
  th.addEventListener('click',function(){
    var row=th.parentNode,body=row.parentNode.parentNode.tBodies[0],at=[].indexOf.call(row.cells,th);
    var dir=th.dataset.dir==='1'?-1:1;
    [].forEach.call(row.cells,function(c){delete c.dataset.dir;c.removeAttribute('aria-sort')});
    th.dataset.dir=dir;th.setAttribute('aria-sort',dir===1?'ascending':'descending');
    function key(r){var c=r.cells[at];return c.dataset.v===undefined?c.textContent:+c.dataset.v}
    [].slice.call(body.rows).sort(function(a,b){
      var x=key(a),y=key(b);
      return dir*(typeof x==='number'&&typeof y==='number'?x-y:String(x).localeCompare(String(y),'en',{numeric:true}));
    }).forEach(function(r){body.appendChild(r)});
  });
});
})();
)js";

}  // namespace

std::string_view PageStyle() { return kStyle; }

std::string_view PageScript() { return kScript; }

}  // namespace fogline
