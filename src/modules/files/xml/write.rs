//! Writing a tree as libxml2 does, which the module's users know from elsewhere.

use uppsala::{Document, NodeId, NodeKind};

/// The first line of a file.
const DECLARATION: &str = "<?xml version='1.0' encoding='UTF-8'?>\n";

/// A whole document, with the document type behind so many comments and instructions.
pub(super) fn document(doc: &Document<'_>, before_doctype: usize, pretty: bool) -> String {
    let mut out = DECLARATION.to_owned();
    for (at, child) in doc.children(doc.root()).into_iter().enumerate() {
        if at > 0 && pretty {
            out.push('\n');
        }
        if let Some(doctype) = doc.doctype.as_ref().filter(|_| at == before_doctype) {
            out.push_str(doctype);
            out.push('\n');
        }
        node(doc, child, pretty, 0, &mut out);
    }
    if pretty {
        out.push('\n');
    }
    out
}

/// A node with what is in it, and with the text behind it if asked for.
pub(super) fn one(doc: &Document<'_>, id: NodeId, with_tail: bool) -> String {
    let mut out = String::new();
    node(doc, id, false, 0, &mut out);
    let mut next = doc.next_sibling(id);
    while let Some(tail) = next.filter(|next| with_tail && is_text(doc, *next)) {
        node(doc, tail, false, 0, &mut out);
        next = doc.next_sibling(tail);
    }
    out
}

/// Whether it is text, in CDATA or not.
pub(super) fn is_text(doc: &Document<'_>, id: NodeId) -> bool {
    matches!(
        doc.node_kind(id),
        Some(NodeKind::Text(_) | NodeKind::CData(_))
    )
}

fn node(doc: &Document<'_>, id: NodeId, pretty: bool, level: usize, out: &mut String) {
    match doc.node_kind(id) {
        Some(NodeKind::Element(element)) => {
            let name = element.name.prefixed_name();
            out.push('<');
            out.push_str(&name);
            for (prefix, uri) in &element.namespace_declarations {
                out.push_str(" xmlns");
                if !prefix.is_empty() {
                    out.push(':');
                    out.push_str(prefix);
                }
                quoted(uri, out);
            }
            for attribute in &element.attributes {
                out.push(' ');
                out.push_str(&attribute.name.prefixed_name());
                quoted(&attribute.value, out);
            }
            let children = doc.children(id);
            if children.is_empty() {
                out.push_str("/>");
                return;
            }
            out.push('>');
            let pretty = pretty && !children.iter().any(|child| is_text(doc, *child));
            for child in children {
                if pretty {
                    new_line(level + 1, out);
                }
                node(doc, child, pretty, level + 1, out);
            }
            if pretty {
                new_line(level, out);
            }
            out.push_str("</");
            out.push_str(&name);
            out.push('>');
        }
        Some(NodeKind::Text(text)) => escaped(text, false, out),
        Some(NodeKind::CData(text)) => {
            out.push_str("<![CDATA[");
            out.push_str(text);
            out.push_str("]]>");
        }
        Some(NodeKind::Comment(text)) => {
            out.push_str("<!--");
            out.push_str(text);
            out.push_str("-->");
        }
        Some(NodeKind::ProcessingInstruction(instruction)) => {
            out.push_str("<?");
            out.push_str(&instruction.target);
            if let Some(data) = &instruction.data {
                out.push(' ');
                out.push_str(data);
            }
            out.push_str("?>");
        }
        Some(NodeKind::Document | NodeKind::Attribute(..)) | None => {}
    }
}

fn new_line(level: usize, out: &mut String) {
    out.push('\n');
    out.push_str(&"  ".repeat(level));
}

fn quoted(value: &str, out: &mut String) {
    out.push_str("=\"");
    escaped(value, true, out);
    out.push('"');
}

fn escaped(text: &str, in_attribute: bool, out: &mut String) {
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '\r' => out.push_str("&#13;"),
            '"' if in_attribute => out.push_str("&quot;"),
            '\n' if in_attribute => out.push_str("&#10;"),
            '\t' if in_attribute => out.push_str("&#9;"),
            other => out.push(other),
        }
    }
}
