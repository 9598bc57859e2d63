//! Laws of patterns, and that no text makes a reader panic.

use super::{from_text, names};
use crate::inventory::{Inventory, split_pattern};
use crate::value::Map;
use proptest::prelude::*;
use std::collections::BTreeSet;

/// Twelve hosts in four groups that overlap.
fn inventory() -> Inventory {
    let mut inventory = Inventory::new();
    for n in 0..12 {
        let mut groups = Vec::new();
        for (name, by) in [("twos", 2), ("threes", 3), ("fours", 4)] {
            if n % by == 0 {
                groups.push(name);
            }
        }
        inventory
            .add_host(&format!("h{n}"), &groups, &Map::new())
            .unwrap();
    }
    inventory
}

fn select(pattern: &str) -> Vec<String> {
    let hosts = inventory().select(pattern).unwrap().hosts;
    names(&hosts).into_iter().map(str::to_owned).collect()
}

fn as_set(pattern: &str) -> BTreeSet<String> {
    select(pattern).into_iter().collect()
}

/// A part of a pattern that matches by itself.
fn part() -> impl Strategy<Value = String> {
    prop_oneof![
        Just("all".to_owned()),
        Just("*".to_owned()),
        Just("twos".to_owned()),
        Just("threes".to_owned()),
        Just("fours".to_owned()),
        Just("ungrouped".to_owned()),
        Just("nosuch".to_owned()),
        Just("h1*".to_owned()),
        Just("~h[0-5]$".to_owned()),
        Just("t*".to_owned()),
        (0..12).prop_map(|n| format!("h{n}")),
        (0..3, 0..4).prop_map(|(a, b)| format!("twos[{a}:{b}]")),
        (-2..2).prop_map(|n| format!("threes[{n}]")),
    ]
}

proptest! {
    #[test]
    fn a_without_a_is_nothing(a in part()) {
        prop_assert_eq!(select(&format!("{a},!{a}")), Vec::<String>::new());
    }

    #[test]
    fn intersection_commutes(a in part(), b in part()) {
        prop_assert_eq!(as_set(&format!("{a},&{b}")), as_set(&format!("{b},&{a}")));
    }

    #[test]
    fn union_keeps_the_order_of_its_parts(a in part(), b in part()) {
        let mut expected = select(&a);
        for host in select(&b) {
            if !expected.contains(&host) {
                expected.push(host);
            }
        }
        prop_assert_eq!(select(&format!("{a},{b}")), expected);
    }

    #[test]
    fn exclusion_and_intersection_part_a_set(a in part(), b in part()) {
        let without = as_set(&format!("{a},!{b}"));
        let with = as_set(&format!("{a},&{b}"));
        prop_assert!(without.is_disjoint(&with));
        prop_assert_eq!(without.union(&with).cloned().collect::<BTreeSet<_>>(), as_set(&a));
    }

    #[test]
    fn where_the_exclusion_stands_does_not_matter(a in part(), b in part(), c in part()) {
        prop_assert_eq!(select(&format!("{a},!{b},{c}")), select(&format!("{a},{c},!{b}")));
    }

    #[test]
    fn commas_and_colons_are_alike(a in part(), b in part()) {
        prop_assert_eq!(select(&format!("{a},{b}")), select(&format!("{a}:{b}")));
    }

    #[test]
    fn no_pattern_panics(pattern in "\\PC{0,20}") {
        let _ = inventory().select(&pattern);
    }

    #[test]
    fn no_pattern_of_special_characters_panics(pattern in "[ah0-9:,!&~*?\\[\\]\\-.()|]{0,14}") {
        let _ = split_pattern(&pattern);
        let _ = inventory().select(&pattern);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn no_ini_panics(lines in proptest::collection::vec("[\\[\\]:a-c=#;'\"\\\\ 0-2{}\u{e9}]{0,14}", 0..6)) {
        let _ = from_text("hosts.ini", &lines.join("\n"));
    }

    #[test]
    fn no_yaml_panics(text in "[a-c:\\-{}\\[\\] \n'\"&*!0-2]{0,40}") {
        let _ = from_text("hosts.yml", &text);
    }

    #[test]
    fn every_host_is_in_all_and_in_a_group(lines in proptest::collection::vec(
        prop_oneof!["h[0-5]", "\\[g[0-3]\\]", "\\[all\\]", "\\[ungrouped\\]"], 0..12)) {
        let inventory = from_text("hosts.ini", &lines.join("\n")).unwrap();
        let all: BTreeSet<_> = inventory.hosts_of_group("all").into_iter().collect();
        prop_assert_eq!(&all, &inventory.hosts.keys().cloned().collect::<BTreeSet<_>>());
        for host in inventory.hosts.keys() {
            let groups = inventory.group_names(host);
            prop_assert!(!groups.is_empty());
            let alone = groups.iter().any(|g| &**g == "ungrouped");
            prop_assert_eq!(alone, groups.len() == 1 && alone);
        }
    }
}
