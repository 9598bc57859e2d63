//! Writing: `tests/yaml/emission.jsonl` holds values and what ansible-core's dumper (`AnsibleDumper`, that is PyYAML's
//! `CSafeDumper`) makes of them with sets of options.

use crate::diag::Source;
use crate::value::{Map, Text, Value, repr};
use crate::yaml::{EmitOptions, FlowStyle, QuoteStyle, emit, parse};
use proptest::prelude::*;
use serde_json::Value as Json;

fn decode(json: &Json) -> Value {
    match json {
        Json::Null => Value::Null,
        Json::Bool(b) => Value::Bool(*b),
        Json::Number(n) => n
            .as_i64()
            .map_or_else(|| Value::Float(n.as_f64().unwrap()), Value::Int),
        Json::String(text) => Value::str(text.as_str()),
        Json::Array(items) => Value::list(items.iter().map(decode).collect()),
        Json::Object(map) => {
            if let Some(float) = map.get("!float") {
                return Value::Float(float.as_str().unwrap().parse().unwrap());
            }
            if let Some(Json::Array(pairs)) = map.get("!map") {
                let pairs = pairs
                    .iter()
                    .map(|pair| (decode(&pair[0]), decode(&pair[1])));
                return Value::map(pairs.collect::<Map>());
            }
            let pairs = map.iter().map(|(k, v)| (Value::str(k.as_str()), decode(v)));
            Value::map(pairs.collect::<Map>())
        }
    }
}

fn options(name: &str) -> EmitOptions {
    let auto = EmitOptions::to_yaml();
    let block = EmitOptions {
        default_flow_style: FlowStyle::Block,
        ..auto
    };
    let styled = |default_style| EmitOptions {
        default_style,
        ..auto
    };
    match name {
        "to_yaml" => auto,
        "to_nice_yaml" => EmitOptions::to_nice_yaml(),
        "indent2" => block,
        "width" => EmitOptions {
            width: 1000,
            ..EmitOptions::to_nice_yaml()
        },
        "narrow" => EmitOptions { width: 20, ..auto },
        "unsorted" => EmitOptions {
            sort_keys: false,
            ..auto
        },
        "start" => EmitOptions {
            explicit_start: true,
            ..auto
        },
        "both" => EmitOptions {
            explicit_start: true,
            explicit_end: true,
            ..block
        },
        "flow" => EmitOptions {
            default_flow_style: FlowStyle::Flow,
            ..auto
        },
        "double" => styled(QuoteStyle::Double),
        "single" => styled(QuoteStyle::Single),
        "literal" => EmitOptions {
            default_style: QuoteStyle::Literal,
            ..block
        },
        "folded" => EmitOptions {
            default_style: QuoteStyle::Folded,
            ..block
        },
        "ascii" => EmitOptions {
            allow_unicode: false,
            ..auto
        },
        "indent8" => EmitOptions { indent: 8, ..block },
        "indent12" => EmitOptions {
            indent: 12,
            ..block
        },
        other => panic!("unknown options {other}"),
    }
}

#[test]
fn values_are_written_as_pyyaml_writes_them() {
    let cases = include_str!("../../../tests/yaml/emission.jsonl");
    let mut wrong = Vec::new();
    let mut count = 0;
    for line in cases.lines() {
        let case: Json = serde_json::from_str(line).unwrap();
        let value = decode(&case["value"]);
        for (name, expected) in case["as"].as_object().unwrap() {
            count += 1;
            let found = emit(&value, &options(name));
            if found != expected.as_str().unwrap() {
                wrong.push(format!(
                    "{name} {value:?}\n found {found:?}\n  want {expected}"
                ));
            }
        }
    }
    assert!(count > 1000);
    assert!(
        wrong.is_empty(),
        "{} of {count}\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}

#[test]
fn vault_strings_keep_their_tag() {
    let value = Value::map(Map::new().with("a", Text::vault("$ANSIBLE_VAULT;1.1;AES256\n6162\n")));
    assert_eq!(
        emit(&value, &EmitOptions::to_yaml()),
        "a: !vault |\n  $ANSIBLE_VAULT;1.1;AES256\n  6162\n"
    );
}

fn any_value() -> impl Strategy<Value = Value> {
    let text = prop_oneof![
        "\\PC{0,12}",
        "[ a:#\\-'\"\\\\\n\t{}\\[\\],&*!|>%@?ü😀\u{85}\u{feff}]{0,12}",
        "[0-9:._eE+x-]{1,8}",
        prop::sample::select(vec![
            "yes",
            "no",
            "null",
            "~",
            "",
            "<<",
            "=",
            "on",
            ".inf",
            "2024-01-02"
        ])
        .prop_map(str::to_owned),
    ];
    let scalar = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        any::<i64>().prop_map(Value::Int),
        any::<f64>()
            .prop_filter("NaN equals nothing", |f| !f.is_nan())
            .prop_map(Value::Float),
        text.clone().prop_map(Value::str),
    ];
    scalar.prop_recursive(3, 24, 5, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::list),
            prop::collection::vec((text.clone(), inner), 0..5).prop_map(|pairs| Value::map(
                pairs
                    .into_iter()
                    .map(|(k, v)| (Value::str(k), v))
                    .collect::<Map>()
            )),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_written_reads_back(value in any_value(), auto in any::<bool>(), ascii in any::<bool>(), width in 0i32..100) {
        let options = EmitOptions {
            default_flow_style: if auto { FlowStyle::Auto } else { FlowStyle::Block },
            allow_unicode: !ascii,
            sort_keys: false,
            width,
            ..EmitOptions::to_nice_yaml()
        };
        let text = emit(&value, &options);
        let source = Source::new("out.yml", text.clone());
        // the YAML reader, not the JSON one, which would read a lone 1e3 as a number
        let documents = crate::yaml::parse_all(&source);
        let back = documents.map(|documents| documents[0].node.to_value());
        match back {
            Ok(back) => prop_assert_eq!(repr(&back), repr(&value), "{}", text),
            Err(error) => prop_assert!(false, "{error} in {text:?}"),
        }
        let _ = parse(&source);
    }
}
