//! Rust sources without comments, without the content of literals, and without code for tests.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// A source file that is part of the program.
#[derive(Debug)]
pub struct Code {
    /// Relative to `src/`.
    pub path: PathBuf,
    /// What is left of its text, with line breaks where they were.
    pub text: String,
}

/// The program's own code of all these files.
pub fn own_code(files: &BTreeMap<PathBuf, String>) -> Vec<Code> {
    let mut code = Vec::new();
    let mut for_tests = BTreeSet::new();
    for (path, text) in files {
        let (text, modules) = without_tests(&without_literals(text));
        for module in modules {
            let directory = module_directory(path);
            for_tests.insert(directory.join(&module).with_extension("rs"));
            for_tests.insert(directory.join(&module));
        }
        code.push(Code {
            path: path.clone(),
            text,
        });
    }
    code.retain(|file| {
        let named_tests = file
            .path
            .with_extension("")
            .components()
            .any(|part| part.as_os_str() == "tests");
        let listed = for_tests.iter().any(|test| file.path.starts_with(test));
        !named_tests && !listed
    });
    code
}

/// Where the modules that a file declares are.
fn module_directory(path: &Path) -> PathBuf {
    let name = path.file_stem().unwrap_or_default();
    if name == "mod" || name == "lib" || name == "main" {
        path.parent().unwrap_or(Path::new("")).to_owned()
    } else {
        path.with_extension("")
    }
}

/// Replaces comments and the content of literals by spaces.
fn without_literals(text: &str) -> String {
    let chars: Vec<char> = text.chars().collect();
    let at = |index: usize| chars.get(index).copied().unwrap_or('\0');
    let mut kept = String::with_capacity(text.len());
    let mut index = 0;
    while index < chars.len() {
        let end = match at(index) {
            '/' if at(index + 1) == '/' => find(&chars, index, |i| at(i) == '\n'),
            '/' if at(index + 1) == '*' => block_comment(&chars, index),
            '"' => string(&chars, index),
            'r' if !word_before(&chars, index) && raw_hashes(&chars, index).is_some() => {
                let hashes = raw_hashes(&chars, index).unwrap_or(0);
                raw_string(&chars, index + 1 + hashes, hashes)
            }
            '\'' if at(index + 1) == '\\' => find(&chars, index + 3, |i| at(i) == '\'') + 1,
            '\'' if at(index + 2) == '\'' => index + 3,
            _ => {
                kept.push(at(index));
                index += 1;
                continue;
            }
        };
        for skipped in index..end.min(chars.len()) {
            kept.push(if at(skipped) == '\n' { '\n' } else { ' ' });
        }
        index = end;
    }
    kept
}

fn find(chars: &[char], from: usize, stop: impl Fn(usize) -> bool) -> usize {
    (from..chars.len())
        .find(|i| stop(*i))
        .unwrap_or(chars.len())
}

fn word_before(chars: &[char], index: usize) -> bool {
    // `br"..."` is a raw string too.
    let before = |back: usize| index.checked_sub(back).and_then(|i| chars.get(i)).copied();
    let word = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_');
    word(before(1)) && (before(1) != Some('b') || word(before(2)))
}

fn raw_hashes(chars: &[char], index: usize) -> Option<usize> {
    let hashes = chars
        .iter()
        .skip(index + 1)
        .take_while(|c| **c == '#')
        .count();
    (chars.get(index + 1 + hashes) == Some(&'"')).then_some(hashes)
}

fn raw_string(chars: &[char], quote: usize, hashes: usize) -> usize {
    let closes = |i: usize| {
        chars.get(i) == Some(&'"')
            && chars
                .iter()
                .skip(i + 1)
                .take(hashes)
                .filter(|c| **c == '#')
                .count()
                == hashes
    };
    find(chars, quote + 1, closes) + 1 + hashes
}

fn string(chars: &[char], quote: usize) -> usize {
    let mut index = quote + 1;
    while let Some(c) = chars.get(index) {
        match c {
            '\\' => index += 2,
            '"' => return index + 1,
            _ => index += 1,
        }
    }
    index
}

fn block_comment(chars: &[char], start: usize) -> usize {
    let mut depth = 0;
    let mut index = start;
    while index < chars.len() {
        match (chars.get(index), chars.get(index + 1)) {
            (Some('/'), Some('*')) => (depth, index) = (depth + 1, index + 2),
            (Some('*'), Some('/')) => (depth, index) = (depth - 1, index + 2),
            _ => index += 1,
        }
        if depth == 0 {
            break;
        }
    }
    index
}

/// Blanks the items under `#[cfg(test)]`; also returns the names of the modules in files of their own among them.
fn without_tests(text: &str) -> (String, Vec<String>) {
    let mut kept = String::with_capacity(text.len());
    let mut modules = Vec::new();
    let mut rest = text;
    while let Some(start) = ["#[cfg(test)]", "#[cfg(all(test"]
        .iter()
        .filter_map(|mark| rest.find(mark))
        .min()
    {
        let (before, item) = rest.split_at(start);
        kept.push_str(before);
        let attribute = item.find(']').map_or(item.len(), |end| end + 1);
        let length = attribute + item_length(&item[attribute..]);
        let (item, after) = item.split_at(length);
        if let Some(name) = item[attribute..]
            .trim_end()
            .strip_suffix(';')
            .and_then(module_name)
        {
            modules.push(name);
        }
        kept.extend(item.chars().filter(|c| *c == '\n'));
        rest = after;
    }
    kept.push_str(rest);
    (kept, modules)
}

fn module_name(item: &str) -> Option<String> {
    let mut words = item.split_whitespace().rev();
    let name = words.next()?;
    (words.next() == Some("mod")).then(|| name.to_owned())
}

/// Up to the semicolon or the closing brace that ends an item.
fn item_length(text: &str) -> usize {
    let mut depth = 0_usize;
    for (index, c) in text.char_indices() {
        match c {
            '{' | '(' | '[' => depth += 1,
            ')' | ']' => depth = depth.saturating_sub(1),
            '}' => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    return index + 1;
                }
            }
            ';' if depth == 0 => return index + 1,
            _ => {}
        }
    }
    text.len()
}

/// The top directories that a file names by `crate::` or by climbing up with `super::`, with the line of each.
pub fn imports(file: &Code) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    for (start, _) in file.text.match_indices("crate::") {
        if !part_of_word(&file.text, start) {
            names_after(&file.text, start + "crate::".len(), &mut found);
        }
    }
    // From a/b.rs two steps up lead to the top, from a/mod.rs one does.
    let depth = file.path.components().count() - usize::from(file.path.ends_with("mod.rs"));
    let climb = "super::".repeat(depth);
    for (start, _) in file.text.match_indices(&climb) {
        let inside_chain = file.text[..start].ends_with("super::")
            || file.text[start + climb.len()..].starts_with("super::");
        if !inside_chain && !part_of_word(&file.text, start) {
            names_after(&file.text, start + climb.len(), &mut found);
        }
    }
    found
        .into_iter()
        .map(|(at, name)| (file.text[..at].matches('\n').count() + 1, name))
        .collect()
}

fn part_of_word(text: &str, start: usize) -> bool {
    text[..start]
        .chars()
        .next_back()
        .is_some_and(|c| c.is_alphanumeric() || c == '_' || c == '$')
}

fn names_after(text: &str, start: usize, found: &mut Vec<(usize, String)>) {
    let rest = &text[start..];
    if !rest.starts_with('{') {
        found.push((start, word(rest)));
        return;
    }
    let mut depth = 0;
    let mut expects_name = false;
    for (index, c) in rest.char_indices() {
        match c {
            '{' => (depth, expects_name) = (depth + 1, depth == 0),
            '}' if depth == 1 => return,
            '}' => depth -= 1,
            ',' => expects_name = depth == 1,
            c if expects_name && !c.is_whitespace() => {
                found.push((start + index, word(&rest[index..])));
                expects_name = false;
            }
            _ => {}
        }
    }
}

fn word(text: &str) -> String {
    text.chars()
        .take_while(|c| c.is_alphanumeric() || *c == '_')
        .collect()
}
