//! What nobody writes, or only once.

/// Host patterns, inventories and extra variables as words.
pub const PATTERNS: &[&str] = &[
    "",
    ",",
    ":",
    "all:!all",
    "a[0]",
    "a[-1:99999999999999999999]",
    "~(a+)+$",
    "~[",
    "a,b,c[1:99999999]",
    "[::1]:22,",
    "x[a:zz],",
    "[1:99999999999999999999],",
    "@",
    "@nope",
    "@/dev/null",
    "{\"a\": [1, {\"b\": \"{{ a }}\"}]}",
    "a=1 b='2 3' c=\"{{ d }}\"",
    "[[[[[[[[",
    "a: &x [*x]",
    "-",
    "..",
    "a&b:!c:~d",
    "\u{feff}a=1",
    "\\x41=\\u0041 \\U99999999",
];

/// A playbook that prints a template.
pub fn around(template: &str) -> String {
    let quoted = template.replace('\'', "''");
    format!(
        "- hosts: all\n  gather_facts: false\n  vars: {{l: [3, 1, 2], d: {{a: 1}}, s: text}}\n  tasks:\n    - debug:\n        msg: '{quoted}'\n"
    )
}

/// Playbooks by what they are.
pub fn playbooks() -> Vec<(&'static str, Vec<u8>)> {
    let play = |tasks: &str| {
        format!("- hosts: all\n  gather_facts: false\n  tasks:\n{tasks}").into_bytes()
    };
    let head = "- hosts: all\n  gather_facts: false\n";
    let mut bomb = String::from(
        "- hosts: all\n  gather_facts: false\n  vars:\n    a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n",
    );
    for n in 1..12 {
        let refs = vec![format!("*a{}", n - 1); 10].join(", ");
        bomb.push_str(&format!("    a{n}: &a{n} [{refs}]\n"));
    }
    bomb.push_str("  tasks:\n    - debug: var=a11\n");
    let mut merges =
        String::from("- hosts: all\n  gather_facts: false\n  vars:\n    m0: &m0 {a: 1}\n");
    for n in 1..30 {
        merges.push_str(&format!(
            "    m{n}: &m{n} {{<<: [*m{0}, *m{0}], b{n}: *m{0}}}\n",
            n - 1
        ));
    }
    let mut nested = String::new();
    for depth in 0..400 {
        nested.push_str(&format!("{}- block:\n", "  ".repeat(depth)));
    }
    nested.push_str(&format!("{}- debug: msg=x\n", "  ".repeat(400)));
    let mut chain = String::from("- hosts: all\n  gather_facts: false\n  vars:\n    v0: x\n");
    for n in 1..3000 {
        chain.push_str(&format!("    v{n}: '{{{{ v{} }}}}'\n", n - 1));
    }
    chain.push_str("  tasks:\n    - debug: var=v2999\n    - debug: msg='{{ v2999 }}'\n");
    let mut doubling =
        String::from("- hosts: all\n  gather_facts: false\n  vars:\n    w0: xxxxxxxxxx\n");
    for n in 1..26 {
        doubling.push_str(&format!(
            "    w{n}: '{{{{ w{0} }}}}{{{{ w{0} }}}}'\n",
            n - 1
        ));
    }
    doubling.push_str("  tasks:\n    - debug: msg='{{ w14 | length }}'\n");
    vec![
        ("aliases", bomb.into_bytes()),
        ("merges", merges.into_bytes()),
        ("flow nesting", format!("- hosts: all\n  vars:\n    a: {}\n", "[".repeat(100_000)).into_bytes()),
        ("closed flow nesting", format!("- hosts: all\n  vars:\n    a: {}{}\n", "[".repeat(5000), "]".repeat(5000)).into_bytes()),
        ("block sequence nesting", format!("- hosts: all\n  vars:\n    a:\n      {}x\n", "- ".repeat(20_000)).into_bytes()),
        ("blocks in blocks", play(&nested)),
        ("a chain of variables", chain.into_bytes()),
        ("doubling variables", doubling.into_bytes()),
        ("a circle through a list", format!("{head}  vars: {{a: ['{{{{ b }}}}'], b: {{c: '{{{{ a }}}}'}}}}\n  tasks:\n    - debug: var=a\n    - debug: msg='{{{{ vars }}}}'\n").into_bytes()),
        ("NUL", b"- hosts: all\n  vars: {a: \0}\n".to_vec()),
        ("not UTF-8", b"- hosts: \xff\xfe\n".to_vec()),
        ("UTF-16", "- hosts: all\n".encode_utf16().flat_map(u16::to_le_bytes).collect()),
        ("a long line", format!("- hosts: {}\n", "a".repeat(2_000_000)).into_bytes()),
        ("many lines", format!("- hosts: all\n  tasks: []\n{}", "# x\n".repeat(200_000)).into_bytes()),
        ("keys of all kinds", format!("{head}  1: 2\n  [a]: b\n  ? {{c: d}}\n  : e\n  null: x\n  1.5: y\n").into_bytes()),
        ("numbers", format!("{head}  serial: [-5, 0, '900%', 99999999999999999999]\n  max_fail_percentage: 1e400\n  tasks: [{{debug: msg=x}}]\n").into_bytes()),
        ("serial 0", format!("{head}  serial: 0\n  tasks: [{{debug: msg=x}}]\n").into_bytes()),
        ("serial -1", format!("{head}  serial: -1\n  tasks: [{{debug: msg=x}}]\n").into_bytes()),
        ("throttle", play("    - debug: msg=x\n      throttle: -99999999999999999999\n      timeout: 1e300\n      port: 99999999\n")),
        ("retries", play("    - debug: msg=x\n      until: true\n      retries: 99999999999999999999\n      delay: -1\n    - debug: msg=x\n      until: false\n      retries: -3\n      delay: .nan\n")),
        ("loop control", play("    - debug: msg=x\n      loop: [1, 2]\n      loop_control: {pause: -1, index_var: item, loop_var: item, extended: true}\n    - debug: msg=x\n      loop: [1]\n      loop_control: [a]\n    - debug: msg=x\n      loop: [1, 2]\n      loop_control: {pause: .nan}\n")),
        ("kinds", play("    - name: {a: b}\n      debug: {msg: [1, {a: null}]}\n      when: {a: b}\n      tags: {a: b}\n      vars: [{a: 1}, {b: 2}]\n      environment: [1, 2]\n")),
        ("notify", play("    - debug: msg=x\n      changed_when: true\n      notify: [[a, b], {c: d}, null, 1]\n")),
        ("pause", play("    - pause: seconds=-5\n")),
        ("meta", play("    - meta: [a]\n")),
        ("meta nothing", play("    - meta:\n")),
        ("actions of nothing", play("    - include_tasks:\n    - include_role:\n    - include_vars:\n    - set_fact:\n    - assert:\n    - fail:\n    - add_host:\n    - group_by:\n")),
        ("includes itself", play("    - include_tasks: play.yml\n")),
        ("imports a directory", play("    - import_tasks: .\n")),
        ("strange names", play("    - include_tasks: \"a\\0b\"\n    - include_role: {name: '../../..'}\n    - include_vars: /\n")),
        ("register", play("    - debug: msg=x\n      register: vars\n    - debug: var=vars\n    - set_fact: {hostvars: 1, inventory_hostname: 2, ansible_play_hosts: 3}\n    - debug: msg='{{ inventory_hostname }}'\n    - debug: msg=x\n      delegate_to: '{{ [1] }}'\n")),
        ("add_host", play("    - add_host: {name: 'x[1:99999999]', groups: [all, a]}\n    - add_host: {name: '', groups: ''}\n    - group_by: {key: all, parents: [all]}\n    - group_by: {key: g, parents: [g]}\n")),
    ]
}

/// Templates, each to be printed.
pub fn templates() -> Vec<String> {
    let mut all: Vec<String> = [
        "{{ range(0, 9999999999) | list | length }}",
        "{{ range(99999999999999999999) | list }}",
        "{{ range(0, 10, 0) | list }}",
        "{{ 'x' * 9999999999 }}",
        "{{ [1] * 9999999999 }}",
        "{{ 9 ** 9 ** 9 }}",
        "{{ 2 ** 100000 }}",
        "{{ 2 ** -1 }} {{ 0 ** -1 }}",
        "{{ 1 // 0 }}",
        "{{ 1 % 0 }}",
        "{{ 1 / 0 }}",
        "{{ -9223372036854775808 // -1 }}",
        "{{ -9223372036854775808 % -1 }}",
        "{{ 9223372036854775807 + 1 }} {{ -9223372036854775808 - 1 }} {{ 9223372036854775807 * 2 }}",
        "{{ -(-9223372036854775808) }} {{ -9223372036854775808 | abs }}",
        "{{ '%99999999999d' % 1 }}",
        "{{ '%999999999s' % 'a' }}",
        "{{ '%*d' % (99999999999, 1) }}",
        "{{ '%.99999999999f' % 1.5 }} {{ '{:.99999999999f}'.format(1.5) }}",
        "{{ '%*d' % (5, 1) }} {{ '%' % 1 }} {{ '%(a' % d }}",
        "{{ '%s %s' % 1 }}",
        "{{ 'x'.ljust(9999999999) | length }}",
        "{{ 'x'.center(-5) }} {{ 'x'.zfill(9999999999) | length }}",
        "{{ 'x' | indent(9999999999) }}",
        "{{ 'a\nb' | indent(-1) }}",
        "{{ '{:>9999999999}'.format(1) }}",
        "{{ '{0.__class__}'.format(1) }} {{ '{'.format() }} {{ '{}}'.format(1) }}",
        "{{ ('a' * 40) | regex_search('(a+)+$b') }}",
        "{{ ('a' * 40 ~ 'b') is match('(a|aa)+$') }}",
        "{{ 'a' | regex_replace('(', 'x') }}",
        "{{ 'a' | regex_replace('a', '\\\\99') }}",
        "{{ 'a' | regex_search('a', '\\\\9') }}",
        "{{ 'a' | regex_findall('a{99999999}') }}",
        "{{ l[9999999999999999999] }}",
        "{{ l[-1:-99999999999:-1] }} {{ l[::0] }}",
        "{{ s[99:1] }} {{ 'é😀'[1:] }} {{ 'é😀'[::-1] }}",
        "{{ l | batch(0) | list }}",
        "{{ l | batch(9999999999, 'x') | list }}",
        "{{ l | slice(0) | list }}",
        "{{ l | slice(9999999999) | list | length }}",
        "{{ l | random(seed='x') }} {{ [] | random }} {{ 0 | random }} {{ 5 | random(step=0) }}",
        "{{ [] | first }} {{ [] | last }} {{ [] | max }} {{ [] | min }}",
        "{{ l | zip(l, [], 1) | list }}",
        "{{ l | product(repeat=40) | list | length }}",
        "{{ range(40) | list | permutations | list | length }}",
        "{{ range(60) | list | combinations(30) | list | length }}",
        "{{ l | combinations(-1) | list }}",
        "{{ range(24) | list | powerset }}",
        "{{ 'x' | truncate(-5) }} {{ 'xyz abc' | truncate(1, true, '') }}",
        "{{ 'x' | wordwrap(0) }}",
        "{{ 'x y' | wordwrap(-1) }}",
        "{{ 99999999999999999999 | filesizeformat }} {{ 'x' | human_to_bytes }} {{ '99999999999999999999999Y' | human_to_bytes }}",
        "{{ -1 | human_readable }} {{ 1e308 | human_readable }}",
        "{{ 99999999999999 | strftime }} {{ '%' | strftime(0) }} {{ '%Y' | strftime(1e300) }}",
        "{{ ('9999-99-99' | to_datetime) }}",
        "{{ 'x' | b64decode }} {{ '////' | b64decode }}",
        "{{ 'a' | password_hash('sha512', rounds=99999999999) }}",
        "{{ 'a' | password_hash('nope') }} ",
        "{{ 'a' | password_hash('sha512', 'bad salt!') }}",
        "{{ '{' | from_json }}",
        "{{ ('[' * 100000) | from_json }}",
        "{{ ('[' * 100000) | from_yaml }}",
        "{{ '&a [*a]' | from_yaml }}",
        "{{ '1.2.3.4/99' | ansible.utils.ipaddr }} {{ '::/0' | ipaddr('size') }}",
        "{{ '10.0.0.0/8' | ipsubnet(32) }} {{ '10.0.0.0/8' | ipsubnet(32, 99999999999) }}",
        "{{ '0.0.0.0/0' | nthhost(99999999999) }}",
        "{{ d | json_query('[') }} {{ d | json_query('a.b[?c==`1`].d | [0]') }}",
        "{{ d | json_query('((((((((((a') }}",
        "{{ '1.2.x' is version('1.0', '<', strict=true) }} {{ 'a' is version('b', '??') }}",
        "{{ 'x' | comment('nope') }} {{ 'x' | comment(prefix_count=9999999999) }}",
        "{{ l | sum(start='x') }} {{ ['a'] | sum }}",
        "{{ l | sort(attribute='x') }} {{ [1, 'a', none] | sort }}",
        "{{ l | groupby('x') }} {{ [d, 1] | groupby('a') }}",
        "{{ l | map('nope') | list }} {{ l | select('nope') | list }} {{ l | map(attribute='a.b.c') | list }}",
        "{{ d | dictsort(by='x') }} {{ d | combine([d, [d]], recursive=true, list_merge='x') }}",
        "{{ lookup('sequence', 'start=0 end=99999999999') }}",
        "{{ lookup('sequence', 'start=0 end=10 stride=0') }}",
        "{{ lookup('sequence', 'count=3 format=%') }}",
        "{{ lookup('file', '/') }} ",
        "{{ lookup('fileglob', '/**/**/**/[') }}",
        "{{ lookup('ini', 'a section=b file=/nope') }} ",
        "{{ lookup('env', '=') }}",
        "{{ lookup('vars') }}",
        "{{ lookup('password', '/dev/null length=99999999999') }}",
        "{{ lookup('subelements', [1], 'x') }} {{ lookup('nested', l, 'x') }}",
        "{{ lookup() }}",
        "{{ query('nope', wantlist=1) }}",
        "{% for i in range(9999999999) %}x{% endfor %}",
        "{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}",
        "{% set x = [] %}{% for i in range(20) %}{% set _ = x.append(x) %}{% endfor %}{{ x }}",
        "{% set ns = namespace(x=1) %}{% set ns.y.z = 1 %}",
        "{% include 'play.yml' %}",
        "{% extends x %}",
        "{% import 'nope' as y %}",
        "{% block a %}{% block a %}{% endblock %}{% endblock %}",
        "{{ self }} {{ self.a() }} {{ loop }} {{ super() }} {{ caller() }}",
        "{{ vars | string | length }} {{ hostvars | string | length }}",
        "{{ cycler() }} {{ joiner(1)() }} {{ lipsum(n=99999999999) }} {{ dict(1) }}",
        "{{ now(fmt='%') }} {{ now(1, 2, 3) }}",
        "{{ undef(1, 2) }}",
        "{{ 'a'.__class__ }} {{ d.items.x }} {{ s.format.y }}",
        "{{ d.pop('a') }} {{ d.update(d) }} {{ l.append(l) }} {{ l }}",
        "{{ l.insert(99999999999, 1) }} {{ l.pop(99) }} {{ l.remove(99) }} {{ l.index(99) }}",
        "{{ 'a'.split('') }} {{ 'a'.replace('', 'b', -5) }} {{ 'abc'.find('c', -99, 99) }} {{ 'é'.encode() }}",
        "{{ 'a,b'.split(',', -5) }} {{ ''.join(l) }} {{ 'a'.count('') }} {{ 'a'.expandtabs(9999999999) }}",
        "{{ 1e400 | int }} {{ 'nan' | float | int }} {{ 'inf' | float | round }} {{ 1.5 | round(-999999999) }}",
        "{{ 1.5 | round(99999999999) }} {{ 2.5 | round(method='x') }} {{ 'ff' | int(base=99) }} {{ 'zz' | int(0, 1) }}",
        "{{ 10 | log(0) }} {{ -1 | root }} {{ 0 | log }} {{ 10 | pow(99999) }}",
        "{{ '\u{0}' }} {{ '\\x00' | string }} {{ '\\ud800' }}",
        "{{ omit }} {{ [omit, {'a': omit}] }}",
        "{{ none.x.y }} {{ (1).x }} {{ true[0] }} {{ 1() }} {{ 'a'() }}",
        "{{",
        "{%",
        "{#",
        "{{ }}",
        "{{ ' }}",
        "{{ a | }}",
        "{% raw %}",
        "{% if %}{% endfor %}",
        "#jinja2: nope:True\n{{ s }}",
    ]
    .iter()
    .map(|text| (*text).to_owned())
    .collect();
    all.push(format!(
        "{{{{ {}1{} }}}}",
        "(".repeat(5000),
        ")".repeat(5000)
    ));
    all.push(format!("{{{{ {} }}}}", "[".repeat(50_000)));
    all.push(format!("{{{{ {}1 }}}}", "-".repeat(50_000)));
    all.push(format!("{{{{ {}true }}}}", "not ".repeat(20_000)));
    all.push(format!("{{{{ 1{} }}}}", " + 1".repeat(20_000)));
    all.push(format!("{{{{ s{} }}}}", " | upper".repeat(5000)));
    all.push(format!("{{{{ d{} }}}}", ".a".repeat(20_000)));
    all.push(format!("{{{{ 1{} }}}}", " if true else 1".repeat(5000)));
    all.push(format!(
        "{}{}",
        "{% if true %}".repeat(3000),
        "{% endif %}".repeat(3000)
    ));
    all.push(format!(
        "{}{}",
        "{% for i in [1] %}".repeat(500),
        "{% endfor %}".repeat(500)
    ));
    all
}

/// Inventories by the name of their file.
pub fn inventories() -> Vec<(&'static str, Vec<u8>)> {
    let mut circle = String::new();
    for n in 0..200 {
        circle.push_str(&format!("[g{n}:children]\ng{}\n", (n + 1) % 200));
    }
    let mut deep = String::from("all:\n");
    for n in 0..300 {
        let indent = "  ".repeat(n * 2 + 1);
        deep.push_str(&format!("{indent}children:\n{indent}  g{n}:\n"));
    }
    let mut lattice = String::new();
    for n in 0..40 {
        lattice.push_str(&format!(
            "[a{n}:children]\na{0}\nb{0}\n[b{n}:children]\na{0}\nb{0}\n",
            n + 1
        ));
    }
    lattice.push_str("[a40]\nh\n[b40]\nh\n");
    vec![
        ("ini", b"host[1:99999999]\n".to_vec()),
        ("ini", b"host[1:99999999999999999999999]\n".to_vec()),
        ("ini", b"h[1:9][1:99][1:999][1:9999]\n".to_vec()),
        ("ini", b"h[9:1]\nh[1:5:0]\nh[a:Z]\nh[:]\nh[1:\nh]1:2[\n".to_vec()),
        ("ini", b"h[001:10:-1]\n".to_vec()),
        ("ini", b"a b=[[[[[[ c={{{{ d='\n".to_vec()),
        ("ini", format!("a b={}\n", "[".repeat(100_000)).into_bytes()),
        ("ini", format!("a b={}1{}\n", "(".repeat(100_000), ")".repeat(100_000)).into_bytes()),
        ("ini", format!("a b={}1\n", "-".repeat(100_000)).into_bytes()),
        ("ini", b"a b=9999999999999999999999999 c=1e9999 d=0x e='\\x' f=b'' g=1j h={1: 2, [3]: 4}\n".to_vec()),
        ("ini", b"[a:vars]\n=\nx\nx=\n=y\n[]\n[:]\n[a:]\n[:children]\n".to_vec()),
        ("ini", b"\xff\xfe\0\0\n".to_vec()),
        ("ini", b"[a]\na\n[a:children]\na\n".to_vec()),
        ("ini", circle.into_bytes()),
        ("ini", lattice.into_bytes()),
        ("x.yml", deep.into_bytes()),
        ("x.yml", b"all: {children: {a: &a {children: {b: *a}}}}\n".to_vec()),
        ("x.yml", b"all: {hosts: {'h[1:99999999]': null, 1: 2, null: 3, [a]: b}, vars: [], children: x}\n".to_vec()),
        ("x.yml", b"- a\n".to_vec()),
        ("x.yml", b"plugin: constructed\nkeyed_groups: [1]\ncompose: [2]\n".to_vec()),
        ("x.json", b"{\"all\": {\"hosts\": [1, 2]}}".to_vec()),
        ("x.json", b"{\"_meta\": 1".to_vec()),
        ("x.toml", b"[all]\n".to_vec()),
    ]
}
