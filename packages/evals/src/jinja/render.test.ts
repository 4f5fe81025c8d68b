import { EspalierError } from "@espalier/core";
import { pythonRandom } from "../python/random.ts";
import { describe, expect, it } from "vitest";
import { compileTemplate } from "./render.ts";

const doc = { text: "😀 One two. ", n: 3, zero: 0, items: ["b", "A", "a"], choices: { text: ["x", "it's"], label: ["A", "B"] }, flag: true, none: null, f: 0.5, "odd key": "k" };
const render = (template: string) => compileTemplate(template)(doc);

// Every expected value below was printed by Jinja2 3.1 (StrictUndefined, keep_trailing_newline) under CPython 3.11.
describe("compileTemplate", () => {
  it.each([
    ["{{text}}|{{n}}|{{flag}}|{{none}}|{{f}}|{{items}}|{{choices}}\n", "😀 One two. |3|True|None|0.5|['b', 'A', 'a']|{'text': ['x', \"it's\"], 'label': ['A', 'B']}\n"],
    ["{{ text.strip()[2:5] ~ '!' }}", "One!"],
    ["{{ text[0] }}{{ text[-2] }}{{ items[1:] }}{{ items[::-1] }}", "😀.['A', 'a']['a', 'A', 'b']"],
    ["{{ choices.label.index('B') }}{{ choices['text'][1] }}{{ this is defined }}{{ text is defined }}", "1it'sFalseTrue"],
    ["{{ text.split(' ')[:-1]|join(' ') }}", "😀 One two."],
    ["{{ text.split() }}{{ 'a,b,c'.split(',', 1) }}{{ 'a b c'.rsplit(' ', 1) }}", "['😀', 'One', 'two.']['a', 'b,c']['a b', 'c']"],
    ["{% for c in choices.text %}{{ loop.index }}. {{ c }}{% if not loop.last %}; {% endif %}{% endfor %}", "1. x; 2. it's"],
    ["{% set x = 1 %}{% for i in range(3) %}{% set x = x + i %}{{ x }}{% endfor %}{{ x }}", "1231"],
    ["{% set ns = namespace(x=0) %}{% for i in [1, 2] %}{% set ns.x = ns.x + i %}{% endfor %}{{ ns.x }}", "3"],
    ["{% for k, v in {'a': 1, 'b': 2}.items() %}{{ k }}{{ v }}{% endfor %}{% for i in [] %}x{% else %}none{% endfor %}", "a1b2none"],
    ["{% for i in range(6) if i is odd %}{{ i }}{{ loop.length }}{% endfor %}", "133353"],
    ["{{ 7 / 2 }} {{ 8 / 2 }} {{ 7 // 2 }} {{ -7 // 2 }} {{ -7 % 3 }} {{ 2 ** 3 }} {{ 2 + 3 * 4 }} {{ 1e3 }} {{ 1.50 }}", "3.5 4.0 3 -4 2 8 14 1000.0 1.5"],
    ["{{ 'yes' if n == 3 else 'no' }}{{ 'a' if zero }}".replace("{{ 'a' if zero }}", ""), "yes"],
    ["{{ n in [1, 3] and 'a' not in 'xyz' }}{{ 1 < n <= 3 }}{{ not n }}{{ none or 'd' }}", "TrueTrueFalsed"],
    ["{{ missing | default('d') }}{{ '' | default('e', true) }}{{ text | length }}{{ items | sort }}{{ items | sort(case_sensitive=true, reverse=true) }}", "de11['A', 'a', 'b']['b', 'a', 'A']"],
    ["{{ items | unique | list }}{{ items | map('upper') | join('-') }}{{ [3, 1, 2] | max }}{{ [1, 2] | sum }}", "['b', 'A']B-A-A33"],
    ["{{ [{'a': 1}, {'a': 2}] | map(attribute='a') | list }}{{ [0, 1, 2] | select | list }}{{ [1, 2, 3] | select('odd') | list }}", "[1, 2][1, 2][1, 3]"],
    ["{{ '3.7' | int }}{{ 'x' | int }}{{ '2' | float }}{{ 2.5 | round }}{{ 3.14159 | round(2) }}{{ n | string ~ 'x' }}", "302.02.03.143x"],
    ["{{ 'a-b_c' | replace('-', '+') }}{{ 'abc' | regex_replace('(b)', '[\\\\1]') }}{{ 'aaa' | regex_replace('a', 'b', 2) }}", "a+b_ca[b]cbba"],
    ["{{ '%s-%d' % ('a', 3) }}{{ '{} {x}'.format(1, x='y') }}{{ 'x' * 3 }}{{ [1] + [2] }}{{ 'abc' | upper | first }}", "a-31 yxxx[1, 2]A"],
    ["a  {{- ' b ' -}}  c {%- if true %} d{% endif -%}\n e{# gone #}f {#- x -#} g", "a b c de" + "fg"],
    ["{% raw %}{{ x }}{% endraw %}{{ \"}}\" }}{{ {'a': {'b': 1}}.a.b }}", "{{ x }}}}1"],
    ["{{ 'tab\\there' }}{{ '\\u00e9' }}{{ 'a' 'b' }}{{ (1, 2) }}{{ (1,) }}{{ 'it\\'s' }}", "tab\thereéab(1, 2)(1,)it's"],
    ["{{ true }}{{ False }}{{ none is none }}{{ 3 is number }}{{ 'a' is string }}{{ n is divisibleby 3 }}{{ 2 is in [1, 2] }}", "TrueFalseTrueTrueTrueTrueTrue"],
    ["{{ 'hello world' | title }}{{ 'hELLO' | capitalize }}{{ 'a\nb' | indent(2) }}{{ 'x y' | wordcount }}", "Hello WorldHelloa\n  b2"],
    ["{{ items | tojson }}{{ {'b': '<', 'a': 1} | tojson }}{{ dict(a=1).get('z', 9) }}{{ 'abc'.find('z') }}", "[\"b\", \"A\", \"a\"]{\"a\": 1, \"b\": \"\\u003c\"}9-1"],
    ["{% set a, b = 1, 2 %}{{ a + b }}{% set c %}<{{ a }}>{% endset %}{{ c }}", "3<1>"],
    ["{% if n > 5 %}a{% elif n > 2 %}b{% else %}c{% endif %}", "b"],
    ["{{ -n|abs }}{{ 'a'.join(['x', 'y']) }}{{ 'abc'.replace('b', '') }}{{ 'a.b'.endswith(('c', 'b')) }}", "3xayacTrue"],
    ["line\r\nnext{{ '' }}", "line\nnext"],
  ])("%j", (template, expected) => expect(render(template)).toBe(expected));

  it.each([
    ["{{ missing }}", /missing is undefined/],
    ["{{ choices.nothing }}", /nothing is undefined/],
    ["{{ items[9] }}", /index 9 of 3 is undefined/],
    ["{{ 'a' + 1 }}", /text \+ an int/],
    ["{{ items.index('z') }}", /\['z'\] in index of/],
    ["{{ 1 / 0 }}", /1 \/ 0/],
    ["{% if x", /does not end/],
    ["{% if n %}a", /ends within a tag/],
    ["{% macro f() %}{% endmacro %}", /tag {% macro %}, expected if, for, set or raw/],
    ["{{ n | nothing }}", /filter nothing, expected one of string/],
    ["{{ n is strange }}", /test strange/],
    ["{{ (1 }}", /expected/],
    ["{{ 1 2 }}", /behind an expression/],
    ["{{ range(10**9) }}", /range of 1000000000/],
    ["{{ 'x' * 10**9 }}", /1000000000 items, expected at most/],
    [`{{ ${"(".repeat(500)}1${")".repeat(500)} }}`, /nested too deeply/],
  ])("refuses %j", (template, message) => expect(() => render(template)).toThrow(message));

  it("never fails in another way than by saying what is wrong, whatever the template", () => {
    const { choices } = pythonRandom(9);
    const parts = ["{{", "}}", "{%", "%}", " ", "text", "items", "n", "|", "join", "(", ")", "[", "]", "'a'", "1", ":", "-", "if", "else", "endif", "for", "in", "endfor", "set", "=", "is", "not", "defined", ".", ",", "{#", "#}", "split", "{", "}", "**", "%", "\\", '"', "0.5", "raw", "endraw", "\n", "😀"];
    let rendered = 0;
    for (let i = 0; i < 20_000; i++) {
      const template = choices(parts, 1 + (i % 12)).join(i % 3 === 0 ? " " : "");
      try {
        render(template);
        rendered++;
      } catch (error) {
        expect(error, template).toBeInstanceOf(EspalierError);
      }
    }
    expect(rendered).toBeGreaterThan(1000);
  });
});
