//! `xml`: looks into XML files and edits them, by XPath.
//!
//! Blanks between elements are kept as they are, but do not count as a difference. Files are written in UTF-8, as libxml2
//! writes them, once something differs.
//!
//! Source: Ansible's documentation of `community.general.xml`.

mod target;
mod tree;
mod write;

use crate::modules::{Failure, Module, ModuleResult, Plan};
use crate::result::Diff;
use crate::sys::{Sys, WriteOptions};
use crate::value::{ArgRule, Map, Value};
use crate::{choices, module_args};
use std::path::PathBuf;
use tree::{Tree, clark};
use uppsala::{NodeId, XPathValue};

choices! {
    /// Whether what the XPath selects is to be there.
    pub enum State {
        /// Not there.
        Absent = "absent",
        /// There.
        Present = "present",
    }
}

choices! {
    /// What is told of what the XPath selects.
    pub enum Content {
        /// The attributes.
        Attribute = "attribute",
        /// The texts.
        Text = "text",
    }
}

choices! {
    /// How children are written.
    pub enum InputType {
        /// As elements.
        Xml = "xml",
        /// As names, or mappings with one.
        Yaml = "yaml",
    }
}

module_args! {
    /// Arguments of `xml`.
    pub struct Args {
        /// The file. It must be there.
        path: Option<PathBuf> => optional, aliases ["dest", "file"];
        /// A text to work on instead of a file; what comes of it is returned as `xmlstring`.
        xmlstring: Option<String> => optional;
        /// The XPath (1.0) of what this is about. What is missing is made, if its steps are names, attributes or names
        /// with simple conditions.
        xpath: Option<String> => optional;
        /// Prefixes and namespaces for the XPath and new names.
        namespaces: Map => default(Map::new());
        /// Whether what the XPath selects is to be there.
        state: State => default("present"), aliases ["ensure"];
        /// The attribute that gets the value, without `@`.
        attribute: Option<String> => optional;
        /// The text of each selected element, or the value of its attribute.
        value: Option<String> => optional;
        /// Children to add to each selected element, each time.
        add_children: Option<Vec<Value>> => optional;
        /// Children that are to be the only ones of the selected element.
        set_children: Option<Vec<Value>> => optional;
        /// How children are written.
        input_type: InputType => default("yaml");
        /// Add them before the first selected element, not in it.
        insertbefore: bool => default(false);
        /// Add them behind the last selected element, not in it.
        insertafter: bool => default(false);
        /// Tell how many there are.
        count: bool => default(false);
        /// Tell where they are.
        print_match: bool => default(false);
        /// Tell what they say.
        content: Option<Content> => optional;
        /// Put children on lines of their own.
        pretty_print: bool => default(false);
        /// Write CDATA as text.
        strip_cdata_tags: bool => default(false);
        /// Keep the old file under a name with the time in it.
        backup: bool => default(false);
    }
}

/// The module.
pub struct Xml;

impl Module for Xml {
    const NAME: &'static str = "xml";
    const COLLECTION: &'static str = "community.general";
    const DOC: &'static str = "Look into XML files and edit them, by XPath.\nOnly what is in the elements counts as a \
                               difference, not the blanks between them. Files are written in UTF-8.";
    const RULES: &'static [ArgRule] = &[
        ArgRule::OneOf(&["path", "xmlstring"]),
        ArgRule::Exclusive(&["path", "xmlstring"]),
        ArgRule::Exclusive(&[
            "add_children",
            "content",
            "count",
            "print_match",
            "set_children",
            "value",
        ]),
        ArgRule::Exclusive(&["insertbefore", "insertafter"]),
        ArgRule::If("count", "true", &["xpath"]),
        ArgRule::If("print_match", "true", &["xpath"]),
        ArgRule::If("insertbefore", "true", &["xpath"]),
        ArgRule::If("insertafter", "true", &["xpath"]),
    ];
    type Args = Args;

    fn plan<'a>(args: &'a Args, sys: &Sys) -> ModuleResult<Plan<'a>> {
        needs(args)?;
        let path = args.path.as_ref().map(|path| sys.expand(path));
        let source = match (&path, &args.xmlstring) {
            (Some(path), _) => sys.read(path)?.ok_or_else(|| {
                Failure::new(format!(
                    "The target XML source '{}' does not exist.",
                    path.display()
                ))
            })?,
            (None, text) => text.clone().unwrap_or_default().into_bytes(),
        };
        let read = || {
            Tree::parse(&source, args.pretty_print, args.strip_cdata_tags)
                .map(|tree| tree.with_namespaces(&args.namespaces))
                .map_err(|why| {
                    let what = path
                        .as_ref()
                        .map_or("xml_string".into(), |path| path.to_string_lossy());
                    Failure::new(format!("Error while parsing document: {what} ({why})"))
                })
        };
        let (old, mut new) = (read()?, read()?);
        let mut plan = Plan::new();
        let Some(xpath) = args.xpath.as_deref() else {
            if !args.pretty_print {
                return Err("Don't know what to do".into());
            }
            let text = new.written(true);
            let differs = text.as_bytes() != source;
            finish(args, path, &old, text, differs, &mut plan);
            return Ok(plan);
        };
        let actions = Map::new()
            .with("xpath", Value::data(xpath))
            .with("namespaces", Value::map(args.namespaces.clone()))
            .with("state", args.state.word());
        plan.returns("actions", actions);
        if !tell(args, xpath, &mut new, &mut plan)? {
            edit(args, xpath, &mut new)?;
        }
        let text = new.written(args.pretty_print);
        let differs = old.essence() != new.essence();
        finish(args, path, &old, text, differs, &mut plan);
        if args.add_children.is_some() {
            plan.repeats();
        }
        Ok(plan)
    }
}

/// Arguments that need others.
fn needs(args: &Args) -> ModuleResult<()> {
    let needed = |name: &str, other: &str| {
        Err(Failure::new(format!(
            "missing parameter(s) required by '{name}': {other}"
        )))
    };
    if args.attribute.is_some() && args.value.is_none() {
        return needed("attribute", "value");
    }
    for (name, is_given) in [
        ("add_children", args.add_children.is_some()),
        ("content", args.content.is_some()),
        ("set_children", args.set_children.is_some()),
        ("value", args.value.is_some()),
    ] {
        if is_given && args.xpath.is_none() {
            return needed(name, "xpath");
        }
    }
    Ok(())
}

/// Plans to write what came of it, and returns it if it was no file.
fn finish<'a>(
    args: &'a Args,
    path: Option<PathBuf>,
    old: &Tree,
    text: String,
    differs: bool,
    plan: &mut Plan<'a>,
) {
    if args.xmlstring.is_some() {
        plan.returns("xmlstring", Value::data(text.as_str()));
    }
    if !differs {
        return;
    }
    let name = path.as_ref().map_or("xmlstring".into(), |path| {
        path.to_string_lossy().into_owned()
    });
    let pretty = |text: &str| match Tree::parse(text.as_bytes(), true, false) {
        Ok(tree) => tree.written(true),
        Err(_) => text.to_owned(),
    };
    let before = old.written(false);
    // where the form alone differs, it is what there is to show
    let (shown_before, shown_after) = match (pretty(&before), pretty(&text)) {
        (one, other) if one == other => (before, text.clone()),
        shown => shown,
    };
    let diff = Diff::new(name.clone(), Some(shown_before), Some(shown_after));
    plan.act(format!("write {name}"), Some(diff), move |sys, returns| {
        let Some(path) = path else { return Ok(()) };
        if args.backup {
            let kept = sys.backup(&path)?;
            returns.set("backup_file", Value::data(kept.to_string_lossy().as_ref()));
        }
        Ok(sys.write(&path, text.as_bytes(), &WriteOptions::default())?)
    });
}

/// What only looks; says whether it was asked for.
fn tell(args: &Args, xpath: &str, tree: &mut Tree, plan: &mut Plan<'_>) -> ModuleResult<bool> {
    let wrong = |why: String| {
        Failure::new(format!(
            "Evaluation error in xpath expression: {xpath} ({why})"
        ))
    };
    if args.print_match {
        let found = tree.select(None, xpath).map_err(wrong)?;
        let paths: Vec<Value> = found.iter().map(|id| Value::data(tree.path(*id))).collect();
        let listed = Value::list(paths).to_json();
        let listed: Vec<String> = listed
            .as_array()
            .into_iter()
            .flatten()
            .map(ToString::to_string)
            .collect();
        plan.returns(
            "msg",
            Value::data(format!("selector '{xpath}' match: [{}]", listed.join(", "))),
        );
        plan.returns("matches", Value::list(Vec::new()));
        return Ok(true);
    }
    if args.count {
        // as documented from the top, whatever way it takes
        let counted = if xpath.starts_with("//") {
            xpath.to_owned()
        } else {
            format!("/{xpath}")
        };
        let found = match tree
            .evaluate(None, &format!("count({counted})"))
            .map_err(wrong)?
        {
            XPathValue::Number(number) => number,
            _ => 0.0,
        };
        plan.returns("count", Value::from(whole(found)));
        plan.returns("msg", Value::data(format!("found {found} nodes")));
        return Ok(true);
    }
    let Some(content) = args.content else {
        return Ok(false);
    };
    let elements = tree.elements(None, xpath).map_err(wrong)?;
    if elements.is_empty() {
        return Err(Failure::new(format!(
            "Xpath {xpath} does not reference a node!"
        )));
    }
    let matches: Vec<Value> = elements
        .iter()
        .filter_map(|id| {
            let element = tree.doc.element(*id)?;
            let said = match content {
                Content::Text => tree.text(*id).map(Value::data).unwrap_or_default(),
                Content::Attribute => {
                    let mut attributes = Map::new();
                    for attribute in &element.attributes {
                        attributes.set(
                            &clark(&attribute.name),
                            Value::data(attribute.value.as_ref()),
                        );
                    }
                    Value::map(attributes)
                }
            };
            let mut one = Map::new();
            one.set(&clark(&element.name), said);
            Some(Value::map(one))
        })
        .collect();
    let count = i64::try_from(matches.len()).unwrap_or(i64::MAX);
    plan.returns("count", count);
    plan.returns("msg", count);
    plan.returns("matches", matches);
    Ok(true)
}

/// A number of nodes.
fn whole(number: f64) -> i64 {
    // there are not so many nodes that it would not fit
    number.to_string().parse().unwrap_or_default()
}

fn edit(args: &Args, xpath: &str, tree: &mut Tree) -> ModuleResult<()> {
    let wrong = |why: String| Failure::new(format!("Xpath {xpath} causes a failure: {why}"));
    if args.state == State::Absent {
        return target::remove(tree, xpath)
            .map_err(|why| Failure::new(format!("Couldn't delete xpath target: {xpath} ({why})")));
    }
    if let Some(children) = &args.set_children {
        let children = nodes(tree, children, args.input_type)?;
        let written: Vec<String> = children
            .iter()
            .map(|id| write::one(&tree.doc, *id, false))
            .collect();
        for element in tree.elements(None, xpath).map_err(wrong)? {
            let there = tree.children(element);
            let now: Vec<String> = there
                .iter()
                .map(|id| write::one(&tree.doc, *id, true))
                .collect();
            if now != written {
                for old in there {
                    tree.remove(old);
                }
                for new in &children {
                    tree.append(element, *new);
                }
            }
        }
        return Ok(());
    }
    if let Some(children) = args
        .add_children
        .as_ref()
        .filter(|children| !children.is_empty())
    {
        let elements = tree.elements(None, xpath).map_err(wrong)?;
        let (Some(first), Some(last)) = (elements.first(), elements.last()) else {
            return Ok(());
        };
        let children = nodes(tree, children, args.input_type)?;
        if !args.insertbefore && !args.insertafter {
            // as with lxml, they go from one to the next, and stay in the last
            for element in &elements {
                for new in &children {
                    tree.append(*element, *new);
                }
            }
            return Ok(());
        }
        let beside = if args.insertbefore { *first } else { *last };
        let parent = tree
            .doc
            .parent(beside)
            .filter(|parent| *parent != tree.doc.root());
        let parent = parent
            .ok_or_else(|| wrong("there can be nothing beside the document's element".into()))?;
        let at = tree
            .children(parent)
            .iter()
            .position(|id| *id == beside)
            .unwrap_or_default();
        let at = at + usize::from(args.insertafter);
        for (number, new) in children.into_iter().enumerate() {
            tree.insert(parent, at + number, new);
        }
        return Ok(());
    }
    let found = tree.evaluate(None, xpath).map_err(wrong)?;
    // `…/text()="x"` asks whether it is so
    if matches!(found, XPathValue::Boolean(true)) {
        return Ok(());
    }
    if tree.elements(None, xpath).map_err(wrong)?.is_empty() {
        target::make(tree, None, xpath).map_err(wrong)?;
    }
    let Some(value) = &args.value else {
        return Ok(());
    };
    let elements = tree.elements(None, xpath).map_err(wrong)?;
    if elements.is_empty() {
        return Err(Failure::new(format!(
            "Xpath {xpath} does not reference a node!"
        )));
    }
    for element in elements {
        match &args.attribute {
            Some(attribute) => tree
                .set_attribute(element, attribute, value)
                .map_err(wrong)?,
            None => tree.set_text(element, value),
        }
    }
    Ok(())
}

/// New elements that belong nowhere yet.
fn nodes(tree: &mut Tree, children: &[Value], kind: InputType) -> ModuleResult<Vec<NodeId>> {
    children
        .iter()
        .map(|child| node(tree, child, kind))
        .collect()
}

fn node(tree: &mut Tree, child: &Value, kind: InputType) -> ModuleResult<NodeId> {
    let failed = |why: String| Failure::new(format!("Error while parsing child element: {why}"));
    match (kind, child) {
        (InputType::Xml, child) => {
            let part = Tree::parse(child.to_string().as_bytes(), false, false).map_err(failed)?;
            let root = part.doc.document_element();
            let new = root.and_then(|root| tree.doc.import_subtree(&part.doc, root));
            new.ok_or_else(|| failed("there is no element".into()))
        }
        (InputType::Yaml, Value::Map(map)) => {
            let mut pairs = map.str_iter();
            let (Some((name, value)), None) = (pairs.next(), pairs.next()) else {
                return Err("Can only create children from hashes with one key".into());
            };
            let new = tree.element(name).map_err(failed)?;
            match value {
                Value::Map(within) => {
                    for (name, value) in within.str_iter().filter(|(name, _)| *name != "_") {
                        let value = value.to_string();
                        tree.set_attribute(new, name, &value).map_err(failed)?;
                    }
                    match within.get("_") {
                        None | Some(Value::Null) => {}
                        Some(Value::List(all)) => {
                            for inner in nodes(tree, all, kind)? {
                                tree.append(new, inner);
                            }
                        }
                        Some(other) => {
                            return Err(Failure::new(format!(
                                "Invalid children type: {}, must be list.",
                                other.type_name()
                            )));
                        }
                    }
                }
                Value::Null => {}
                text => tree.set_text(new, &text.to_string()),
            }
            Ok(new)
        }
        (InputType::Yaml, child) => match child.as_str() {
            Some(name) => tree.element(name).map_err(failed),
            None => Err(Failure::new(format!(
                "Invalid child type: {}. Children must be either strings or hashes.",
                child.type_name()
            ))),
        },
    }
}
