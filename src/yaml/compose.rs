//! Events to nodes: anchors, tags, merge keys, duplicate keys.

use super::libyaml::{Collection, Event, EventKind, Parser};
use super::mapping::{Pair, assemble};
use super::node::{Kind, Node};
use super::places::Places;
use super::resolve::{Resolved, plain_kind, resolve};
use super::{syntax, tags};
use crate::diag::{Diagnostic, Source, Span, nearest};
use crate::value::Text;
use std::collections::HashMap;
use std::sync::Arc;

/// How deep collections may nest.
pub(super) const MAX_DEPTH: usize = 128;

/// How many nodes aliases may add to a stream before it counts as an attack on memory.
const ALIAS_BUDGET: usize = 500_000;

/// Boxed: the functions here call each other once per level, and a diagnostic is large.
type Fault = Box<Diagnostic>;

/// What an anchor names.
enum Anchored {
    /// Its node is still being read.
    Open,
    Done {
        node: Node,
        measure: Measure,
    },
}

/// What a copy of a node costs.
#[derive(Clone, Copy)]
struct Measure {
    /// How many nodes it has.
    size: usize,
    /// How deep it nests.
    height: usize,
}

impl Measure {
    const SCALAR: Self = Self { size: 1, height: 0 };

    fn hold(&mut self, child: Self) {
        self.size = self.size.saturating_add(child.size);
        self.height = self.height.max(child.height + 1);
    }
}

/// Reads documents from a source, one after another.
pub(super) struct Composer<'a> {
    parser: Parser<'a>,
    places: Places<'a>,
    anchors: HashMap<String, Anchored>,
    aliased: usize,
    depth: usize,
    warnings: Vec<Diagnostic>,
}

/// A node with its measure, and whether it is a plain `<<` or `=`, which mean something else as keys than as values.
struct Composed {
    node: Node,
    measure: Measure,
    special: Option<Resolved>,
}

impl<'a> Composer<'a> {
    /// A composer at the start of the source.
    pub fn new(source: &'a Arc<Source>) -> Result<Self, Diagnostic> {
        let places = Places::new(source);
        let parser = Parser::new(places.text())
            .ok_or_else(|| Diagnostic::error("yaml::memory", "there is no memory to read YAML"))?;
        Ok(Self {
            parser,
            places,
            anchors: HashMap::new(),
            aliased: 0,
            depth: 0,
            warnings: Vec::new(),
        })
    }

    /// The next document, if there is one, and the place where it starts.
    pub fn next_document(&mut self) -> Result<Option<(Node, Span)>, Diagnostic> {
        loop {
            let event = self.next().map_err(|fault| *fault)?;
            match event.kind {
                EventKind::StreamEnd => return Ok(None),
                EventKind::DocumentStart => {
                    let start = self.places.span(event.start, event.end);
                    self.anchors.clear();
                    self.depth = 0;
                    let (node, _) = self
                        .next()
                        .and_then(|event| self.value(event))
                        .map_err(|fault| *fault)?;
                    return Ok(Some((node, start)));
                }
                _ => {}
            }
        }
    }

    /// The warnings so far; they are handed out once.
    pub fn take_warnings(&mut self) -> Vec<Diagnostic> {
        std::mem::take(&mut self.warnings)
    }

    /// A null node for a text without a document.
    pub fn nothing(&mut self) -> Node {
        Node::new(Kind::Null, self.places.span(0, 0))
    }

    fn next(&mut self) -> Result<Event, Fault> {
        self.parser
            .next()
            .map_err(|failure| Box::new(syntax::explain(&failure, &mut self.places)))
    }

    /// A node where a value stands.
    fn value(&mut self, event: Event) -> Result<(Node, Measure), Fault> {
        let Composed {
            node,
            measure,
            special,
        } = self.node(event)?;
        match special {
            None => Ok((node, measure)),
            Some(which) => {
                let text = if which == Resolved::Merge { "<<" } else { "=" };
                Err(Box::new(
                    Diagnostic::error(
                        "yaml::special-value",
                        format!(
                            "a plain `{text}` has a meaning of its own in YAML and is not a value"
                        ),
                    )
                    .at(&node.span)
                    .hint(format!("quote it: \"{text}\"")),
                ))
            }
        }
    }

    fn node(&mut self, event: Event) -> Result<Composed, Fault> {
        let Event { kind, start, end } = event;
        match kind {
            EventKind::Alias(name) => self.alias(&name, start, end),
            EventKind::Scalar {
                anchor,
                tag,
                value,
                plain,
            } => {
                let span = self.places.span(start, end);
                let mut special = None;
                let kind = match tag.as_deref() {
                    None | Some("!") if plain => {
                        special = Some(resolve(&value))
                            .filter(|r| matches!(r, Resolved::Merge | Resolved::Default));
                        plain_kind(&value)
                    }
                    None | Some("!") => Kind::Str(Text::written(value)),
                    Some(tag) => {
                        special = (tag == tags::MERGE).then_some(Resolved::Merge);
                        tags::scalar(tag, &value, &span)?
                    }
                };
                let node = Node::new(kind, span);
                Ok(self.finish(anchor, node, Measure::SCALAR, special))
            }
            EventKind::SequenceStart(collection) => self.sequence(collection, start, end),
            EventKind::MappingStart(collection) => self.mapping(collection, start, end),
            _ => Err(Box::new(
                Diagnostic::error("yaml::syntax", "expected a value here")
                    .at(&self.places.span(start, end)),
            )),
        }
    }

    fn sequence(
        &mut self,
        collection: Collection,
        start: usize,
        end: usize,
    ) -> Result<Composed, Fault> {
        let mut span = self.open(&collection, start, end)?;
        let mut measure = Measure::SCALAR;
        let mut items = Vec::new();
        loop {
            let event = self.next()?;
            if matches!(event.kind, EventKind::SequenceEnd) {
                self.close(&mut span, collection.flow, event.end);
                break;
            }
            let (item, child) = self.value(event)?;
            measure.hold(child);
            span.end = span.end.max(item.span.end);
            items.push(item);
        }
        let node = tags::sequence(collection.tag.as_deref(), Node::new(Kind::Seq(items), span))?;
        Ok(self.finish(collection.anchor, node, measure, None))
    }

    fn mapping(
        &mut self,
        collection: Collection,
        start: usize,
        end: usize,
    ) -> Result<Composed, Fault> {
        let mut span = self.open(&collection, start, end)?;
        let mut measure = Measure::SCALAR;
        let mut pairs = Vec::new();
        loop {
            let event = self.next()?;
            if matches!(event.kind, EventKind::MappingEnd) {
                self.close(&mut span, collection.flow, event.end);
                break;
            }
            let key = self.node(event)?;
            if !is_scalar(&key.node) {
                return Err(syntax::bad_key(&key.node).into());
            }
            let event = self.next()?;
            let (value, child) = self.value(event)?;
            measure.hold(key.measure);
            measure.hold(child);
            span.end = span.end.max(value.span.end).max(key.node.span.end);
            pairs.push(Pair {
                merge: key.special == Some(Resolved::Merge),
                key: key.node,
                value,
            });
        }
        let entries = assemble(pairs, &mut self.warnings)?;
        let node = tags::mapping(
            collection.tag.as_deref(),
            Node::new(Kind::Map(entries), span),
        )?;
        Ok(self.finish(collection.anchor, node, measure, None))
    }

    fn open(&mut self, collection: &Collection, start: usize, end: usize) -> Result<Span, Fault> {
        let span = self.places.span(start, end);
        self.deeper(1, &span)?;
        self.depth += 1;
        if let Some(anchor) = &collection.anchor {
            self.anchors.insert(anchor.clone(), Anchored::Open);
        }
        Ok(span)
    }

    fn deeper(&self, levels: usize, span: &Span) -> Result<(), Fault> {
        if self.depth.saturating_add(levels) > MAX_DEPTH {
            return Err(Box::new(
                Diagnostic::error(
                    "yaml::too-deep",
                    format!("collections nest deeper than {MAX_DEPTH} levels here"),
                )
                .at(span),
            ));
        }
        Ok(())
    }

    /// A flow collection ends at its bracket, a block with its last node.
    fn close(&mut self, span: &mut Span, flow: bool, end: usize) {
        self.depth = self.depth.saturating_sub(1);
        if flow {
            span.end = self.places.absolute(end).max(span.start);
        }
    }

    fn finish(
        &mut self,
        anchor: Option<String>,
        node: Node,
        measure: Measure,
        special: Option<Resolved>,
    ) -> Composed {
        if let Some(anchor) = anchor {
            let node = node.clone();
            self.anchors
                .insert(anchor, Anchored::Done { node, measure });
        }
        Composed {
            node,
            measure,
            special,
        }
    }

    fn alias(&mut self, name: &str, start: usize, end: usize) -> Result<Composed, Fault> {
        let span = self.places.span(start, end);
        match self.anchors.get(name) {
            Some(Anchored::Done { node, measure }) => {
                let measure = *measure;
                self.aliased = self.aliased.saturating_add(measure.size);
                if self.aliased > ALIAS_BUDGET {
                    return Err(Box::new(
                        Diagnostic::error(
                            "yaml::alias-budget",
                            format!(
                                "the aliases of this file stand for more than {ALIAS_BUDGET} values"
                            ),
                        )
                        .at(&span)
                        .note("written out, they would fill the memory"),
                    ));
                }
                let node = Node::new(node.kind.clone(), span);
                self.deeper(measure.height, &node.span)?;
                Ok(Composed {
                    node,
                    measure,
                    special: None,
                })
            }
            Some(Anchored::Open) => Err(Box::new(
                Diagnostic::error(
                    "yaml::unknown-anchor",
                    format!(
                        "the alias `*{name}` stands inside the very value that `&{name}` names"
                    ),
                )
                .at(&span),
            )),
            None => {
                let hint = nearest(name, self.anchors.keys().map(String::as_str)).map_or_else(
                    || format!("if `*{name}` is meant as text, quote it: \"*{name}\""),
                    |near| format!("did you mean `*{near}`?"),
                );
                Err(Box::new(
                    Diagnostic::error(
                        "yaml::unknown-anchor",
                        format!("there is no anchor `&{name}` before this alias"),
                    )
                    .at(&span)
                    .hint(hint),
                ))
            }
        }
    }
}

fn is_scalar(node: &Node) -> bool {
    !matches!(node.kind, Kind::Seq(_) | Kind::Map(_))
}
