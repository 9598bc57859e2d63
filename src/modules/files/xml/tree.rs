//! A document to look into and to edit. Texts are seen as libxml2's users see them: an element's text is what stands
//! before its first child, and what stands behind an element goes with it.

use super::write::{self, is_text};
use crate::value::Map;
use std::borrow::Cow;
use uppsala::{Document, NodeId, NodeKind, QName, XPathEvaluator, XPathValue};

/// A document, and the prefixes that XPaths use.
pub(super) struct Tree {
    pub(super) doc: Document<'static>,
    /// How many comments and instructions stand before the document type.
    before_doctype: usize,
    namespaces: Vec<(String, String)>,
}

impl Tree {
    /// Reads a document. `strip_blanks` drops blanks between elements, `strip_cdata` makes texts of CDATA.
    ///
    /// # Errors
    /// When it is not well-formed, or in an encoding that is not built.
    pub(super) fn parse(
        bytes: &[u8],
        strip_blanks: bool,
        strip_cdata: bool,
    ) -> Result<Self, String> {
        let text = decoded(bytes)?;
        let doc = uppsala::parse(&text).map_err(|e| e.to_string())?;
        let doctype = doc
            .doctype
            .as_ref()
            .and_then(|doctype| text.find(doctype.as_ref()));
        let is_before = |id: &NodeId| match (doc.node_range(*id), doctype) {
            (Some(range), Some(doctype)) => range.start < doctype,
            _ => false,
        };
        let before_doctype = doc
            .children(doc.root())
            .iter()
            .filter(|id| is_before(id))
            .count();
        let mut tree = Self {
            doc: doc.into_static(),
            before_doctype,
            namespaces: Vec::new(),
        };
        if strip_cdata {
            tree.strip_cdata();
        }
        if strip_blanks && let Some(root) = tree.doc.document_element() {
            tree.strip_blanks(root);
        }
        Ok(tree)
    }

    /// The prefixes that XPaths use.
    pub(super) fn with_namespaces(mut self, namespaces: &Map) -> Self {
        let pairs = namespaces.str_iter();
        self.namespaces = pairs
            .map(|(prefix, uri)| (prefix.to_owned(), uri.to_string()))
            .collect();
        self
    }

    /// It as a file. `pretty` puts children on lines of their own, where no text is beside them.
    pub(super) fn written(&self, pretty: bool) -> String {
        write::document(&self.doc, self.before_doctype, pretty)
    }

    /// What it says, whatever blanks are between elements: to tell whether it was changed.
    pub(super) fn essence(&self) -> String {
        let text = self.written(false);
        match Self::parse(text.as_bytes(), true, true) {
            Ok(tree) => tree.written(false),
            Err(_) => text,
        }
    }

    fn strip_cdata(&mut self) {
        for id in self.doc.descendants(self.doc.root()) {
            if let Some(kind @ NodeKind::CData(_)) = self.doc.node_kind_mut(id) {
                let text = match kind {
                    NodeKind::CData(text) => std::mem::take(text),
                    _ => Cow::Borrowed(""),
                };
                *kind = NodeKind::Text(text);
            }
        }
    }

    /// Blanks go, unless they are all that an element has, or text stands before them.
    fn strip_blanks(&mut self, element: NodeId) {
        let children = self.doc.children(element);
        let alone = children.len() == 1;
        let mut first = None;
        let mut last: Option<NodeId> = None;
        for child in children {
            let is_blank = match self.doc.node_kind(child) {
                Some(NodeKind::Text(text)) => {
                    text.chars().all(|c| matches!(c, ' ' | '\t' | '\n' | '\r'))
                }
                _ => false,
            };
            let is_beside_text = [first, last]
                .into_iter()
                .flatten()
                .any(|other| is_text(&self.doc, other));
            if is_blank && !alone && !is_beside_text {
                self.doc.detach(child);
                continue;
            }
            first = first.or(Some(child));
            last = Some(child);
            if self.doc.element(child).is_some() {
                self.strip_blanks(child);
            }
        }
    }

    /// What an XPath gives, from `context` or the document's element on.
    ///
    /// # Errors
    /// When it cannot be evaluated.
    pub(super) fn evaluate(
        &mut self,
        context: Option<NodeId>,
        xpath: &str,
    ) -> Result<XPathValue, String> {
        self.doc.prepare_xpath();
        let mut evaluator = XPathEvaluator::new();
        for (prefix, uri) in &self.namespaces {
            evaluator.add_namespace(prefix.as_str(), uri.as_str());
        }
        let context = context
            .or_else(|| self.doc.document_element())
            .unwrap_or_else(|| self.doc.root());
        evaluator
            .evaluate(&self.doc, context, xpath)
            .map_err(|e| e.to_string())
    }

    /// The nodes that an XPath selects.
    ///
    /// # Errors
    /// When it cannot be evaluated, or gives something else.
    pub(super) fn select(
        &mut self,
        context: Option<NodeId>,
        xpath: &str,
    ) -> Result<Vec<NodeId>, String> {
        match self.evaluate(context, xpath)? {
            XPathValue::NodeSet(nodes) => Ok(nodes),
            _ => Err(format!("{xpath} selects no nodes")),
        }
    }

    /// The elements among what an XPath selects, if the first is one; none if it selects nothing at all, but is a question.
    ///
    /// # Errors
    /// When it cannot be evaluated.
    pub(super) fn elements(
        &mut self,
        context: Option<NodeId>,
        xpath: &str,
    ) -> Result<Vec<NodeId>, String> {
        let XPathValue::NodeSet(nodes) = self.evaluate(context, xpath)? else {
            return Ok(Vec::new());
        };
        let is_element = |id: &NodeId| self.doc.element(*id).is_some();
        if !nodes.first().is_some_and(is_element) {
            return Ok(Vec::new());
        }
        Ok(nodes.into_iter().filter(is_element).collect())
    }

    /// Children that are no text.
    pub(super) fn children(&self, element: NodeId) -> Vec<NodeId> {
        let children = self.doc.children(element).into_iter();
        children
            .filter(|child| !is_text(&self.doc, *child))
            .collect()
    }

    fn texts_before_children(&self, element: NodeId) -> Vec<NodeId> {
        let children = self.doc.children(element).into_iter();
        children
            .take_while(|child| is_text(&self.doc, *child))
            .collect()
    }

    /// An element's text; `None` if there is none, which is not the same as an empty one.
    pub(super) fn text(&self, element: NodeId) -> Option<String> {
        let texts = self.texts_before_children(element);
        let parts = texts.iter().filter_map(|text| self.doc.text_content(*text));
        (!texts.is_empty()).then(|| parts.collect())
    }

    /// Sets an element's text, if it differs.
    pub(super) fn set_text(&mut self, element: NodeId, text: &str) {
        if self.text(element).as_deref() == Some(text) {
            return;
        }
        for old in self.texts_before_children(element) {
            self.doc.detach(old);
        }
        let new = self.doc.create_text(text.to_owned());
        match self.doc.first_child(element) {
            Some(first) => self.doc.insert_before(element, new, first),
            None => self.doc.append_child(element, new),
        }
    }

    /// Takes a node out, and the text behind it.
    pub(super) fn remove(&mut self, id: NodeId) {
        while let Some(tail) = self
            .doc
            .next_sibling(id)
            .filter(|next| is_text(&self.doc, *next))
        {
            self.doc.detach(tail);
        }
        self.doc.detach(id);
    }

    /// Puts a node before the child number `at`, or behind all.
    pub(super) fn insert(&mut self, parent: NodeId, at: usize, new: NodeId) {
        match self.children(parent).get(at) {
            Some(before) => self.doc.insert_before(parent, new, *before),
            None => self.doc.append_child(parent, new),
        }
        self.name(new);
    }

    /// Appends a node.
    pub(super) fn append(&mut self, parent: NodeId, new: NodeId) {
        self.doc.append_child(parent, new);
        self.name(new);
    }

    /// An element `name` or `prefix:name` with the namespace of the prefix; it belongs nowhere yet.
    ///
    /// # Errors
    /// When the prefix is not known or it is no name.
    pub(super) fn element(&mut self, name: &str) -> Result<NodeId, String> {
        let name = self.qualified(name)?;
        Ok(self.doc.create_element(name))
    }

    fn qualified(&self, name: &str) -> Result<QName<'static>, String> {
        if let Some((uri, local)) = name.strip_prefix('{').and_then(|rest| rest.split_once('}')) {
            check_name(local)?;
            return Ok(QName::with_namespace(uri.to_owned(), local.to_owned()));
        }
        let Some((prefix, local)) = name.split_once(':') else {
            check_name(name)?;
            return Ok(QName::local(name.to_owned()));
        };
        check_name(local)?;
        let found = self.namespaces.iter().find(|(known, _)| known == prefix);
        let (_, uri) =
            found.ok_or_else(|| format!("the namespace prefix `{prefix}` is not in namespaces"))?;
        Ok(QName::with_namespace(uri.clone(), local.to_owned()))
    }

    /// Gives a new element a prefix for its namespace, one that is in force or one of its own.
    fn name(&mut self, id: NodeId) {
        let uri = match self.doc.element(id) {
            Some(element) if element.name.prefix.is_none() => element.name.namespace_uri.clone(),
            _ => None,
        };
        let Some(uri) = uri.filter(|uri| !uri.is_empty()) else {
            return;
        };
        let prefix = self.prefix_of(id, &uri, false);
        let prefix = prefix.unwrap_or_else(|| self.declare(id, &uri));
        if let Some(element) = self.doc.element_mut(id) {
            element.name.prefix = (!prefix.is_empty()).then(|| prefix.into());
        }
    }

    /// The prefix that stands for a namespace at that element; the empty one does not count for attributes.
    fn prefix_of(&self, id: NodeId, uri: &str, for_attribute: bool) -> Option<String> {
        let mut hidden: Vec<&str> = Vec::new();
        let above = self.doc.ancestors(id);
        for at in std::iter::once(id).chain(above) {
            let Some(element) = self.doc.element(at) else {
                continue;
            };
            for (prefix, known) in &element.namespace_declarations {
                let fits = known == uri && !(for_attribute && prefix.is_empty());
                if fits && !hidden.contains(&prefix.as_ref()) {
                    return Some(prefix.to_string());
                }
            }
            hidden.extend(
                element
                    .namespace_declarations
                    .iter()
                    .map(|(prefix, _)| prefix.as_ref()),
            );
        }
        None
    }

    /// A new prefix for a namespace, declared at that element.
    fn declare(&mut self, id: NodeId, uri: &str) -> String {
        let above = self.doc.ancestors(id);
        let taken: Vec<String> = std::iter::once(id)
            .chain(above)
            .filter_map(|at| self.doc.element(at))
            .flat_map(|element| element.namespace_declarations.iter())
            .map(|(prefix, _)| prefix.to_string())
            .collect();
        let prefix = (0..=taken.len())
            .map(|number| format!("ns{number}"))
            .find(|prefix| !taken.contains(prefix))
            .unwrap_or_default();
        self.doc
            .declare_namespace(id, Some(&prefix), uri.to_owned());
        prefix
    }

    /// Sets an attribute `name` or `prefix:name`.
    ///
    /// # Errors
    /// When the prefix is not known or it is no name.
    pub(super) fn set_attribute(
        &mut self,
        id: NodeId,
        name: &str,
        value: &str,
    ) -> Result<(), String> {
        let mut name = self.qualified(name)?;
        let is_same = |other: &QName<'_>| {
            other.local_name == name.local_name
                && other.namespace_uri.as_deref().unwrap_or_default()
                    == name.namespace_uri.as_deref().unwrap_or_default()
        };
        if let Some(element) = self.doc.element_mut(id)
            && let Some(old) = element.attributes.iter_mut().find(|old| is_same(&old.name))
        {
            old.value = value.to_owned().into();
            return Ok(());
        }
        if let Some(uri) = name.namespace_uri.clone() {
            let prefix = self.prefix_of(id, &uri, true);
            name.prefix = Some(prefix.unwrap_or_else(|| self.declare(id, &uri)).into());
        }
        if let Some(element) = self.doc.element_mut(id) {
            element.set_attribute(name, value.to_owned().into());
        }
        Ok(())
    }

    /// Takes an attribute out, by its node.
    pub(super) fn remove_attribute(&mut self, id: NodeId) {
        let (Some(NodeKind::Attribute(name, _)), Some(owner)) =
            (self.doc.node_kind(id).cloned(), self.doc.parent(id))
        else {
            return;
        };
        if let Some(element) = self.doc.element_mut(owner) {
            element
                .attributes
                .retain(|attribute| attribute.name != name);
        }
    }

    /// The way to a node, from the top.
    pub(super) fn path(&self, id: NodeId) -> String {
        let above = self
            .doc
            .parent(id)
            .filter(|parent| *parent != self.doc.root());
        let before = above.map(|parent| self.path(parent)).unwrap_or_default();
        let step = match self.doc.node_kind(id) {
            Some(NodeKind::Element(element)) => step_of(element),
            Some(NodeKind::Attribute(name, _)) => {
                return format!("{before}/@{}", name.prefixed_name());
            }
            Some(NodeKind::Comment(_)) => "comment()".to_owned(),
            Some(NodeKind::ProcessingInstruction(_)) => "processing-instruction()".to_owned(),
            Some(NodeKind::Document) => return "/".to_owned(),
            _ => "text()".to_owned(),
        };
        let alike = |other: &NodeId| match (self.doc.node_kind(*other), step.as_str()) {
            (Some(NodeKind::Element(_)), "*") => true,
            (Some(NodeKind::Element(element)), step) => step_of(element) == step,
            (Some(NodeKind::Comment(_)), "comment()") => true,
            (Some(NodeKind::ProcessingInstruction(_)), "processing-instruction()") => true,
            (Some(NodeKind::Text(_) | NodeKind::CData(_)), "text()") => true,
            _ => false,
        };
        let siblings = self.doc.parent(id).map(|parent| self.doc.children(parent));
        let siblings: Vec<NodeId> = siblings
            .unwrap_or_default()
            .into_iter()
            .filter(alike)
            .collect();
        match siblings.iter().position(|sibling| *sibling == id) {
            Some(at) if siblings.len() > 1 => format!("{before}/{step}[{}]", at + 1),
            _ => format!("{before}/{step}"),
        }
    }
}

/// An element's step in a path; there is no name for one in a namespace without a prefix.
fn step_of(element: &uppsala::Element<'_>) -> String {
    match (&element.name.prefix, &element.name.namespace_uri) {
        (None, Some(uri)) if !uri.is_empty() => "*".to_owned(),
        _ => element.name.prefixed_name().into_owned(),
    }
}

/// A name with its namespace, as `{uri}name`.
pub(super) fn clark(name: &QName<'_>) -> String {
    match &name.namespace_uri {
        Some(uri) if !uri.is_empty() => format!("{{{uri}}}{}", name.local_name),
        _ => name.local_name.to_string(),
    }
}

fn check_name(name: &str) -> Result<(), String> {
    let is_first = |c: char| c.is_alphabetic() || c == '_';
    let is_next = |c: char| is_first(c) || c.is_numeric() || matches!(c, '-' | '.' | '\u{b7}');
    if name.starts_with(is_first) && name.chars().all(is_next) {
        Ok(())
    } else {
        Err(format!("Invalid tag name '{name}'"))
    }
}

/// The text of a document: UTF-8, or what its first line says.
fn decoded(bytes: &[u8]) -> Result<String, String> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let head = bytes.get(..bytes.len().min(200)).unwrap_or_default();
    let head = String::from_utf8_lossy(head).to_lowercase();
    let declared = head
        .strip_prefix("<?xml")
        .and_then(|head| head.split_once("?>"))
        .and_then(|(head, _)| head.split_once("encoding"))
        .and_then(|(_, rest)| rest.split(['"', '\'']).nth(1));
    match declared {
        // bytes are code points
        Some("iso-8859-1" | "latin1" | "latin-1") => {
            Ok(bytes.iter().map(|byte| char::from(*byte)).collect())
        }
        None | Some("utf-8" | "utf8" | "us-ascii" | "ascii") => {
            String::from_utf8(bytes.to_vec()).map_err(|_| "it is not in UTF-8".to_owned())
        }
        Some(other) => Err(format!(
            "the encoding `{other}` is not built; UTF-8 and ISO-8859-1 are"
        )),
    }
}
