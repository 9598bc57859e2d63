//! The safe door to libyaml: text to events, events to text. All `unsafe` of this directory is here.
//!
//! Marks of this port of libyaml count bytes of the input, which is what [`crate::diag::Span`] wants.

#![allow(
    unsafe_code,
    clippy::box_collection,
    reason = "libyaml's interface is C's; this file is the only one that touches it"
)]

use std::ffi::{CStr, c_char, c_void};
use std::marker::PhantomData;
use std::mem::MaybeUninit;
use std::ptr;
#[expect(
    clippy::unsafe_removed_from_name,
    reason = "each call stands in an unsafe block"
)]
use unsafe_libyaml as sys;

/// What happens next in a stream, with its bytes.
#[derive(Debug)]
pub(super) struct Event {
    pub kind: EventKind,
    pub start: usize,
    pub end: usize,
}

/// The kinds of events. Anchors and tags are as libyaml resolved them (`!!str` is `tag:yaml.org,2002:str`).
#[derive(Debug)]
pub(super) enum EventKind {
    StreamStart,
    StreamEnd,
    DocumentStart,
    DocumentEnd,
    Alias(String),
    Scalar {
        anchor: Option<String>,
        tag: Option<String>,
        value: String,
        /// Plain and untagged: its type is resolved from its text.
        plain: bool,
    },
    SequenceStart(Collection),
    SequenceEnd,
    MappingStart(Collection),
    MappingEnd,
}

/// How a sequence or mapping begins.
#[derive(Debug)]
pub(super) struct Collection {
    pub anchor: Option<String>,
    pub tag: Option<String>,
    /// Written with brackets.
    pub flow: bool,
}

/// Why the text is not YAML, in libyaml's words and with its marks (bytes).
#[derive(Debug)]
pub(super) struct Failure {
    pub problem: String,
    pub at: usize,
    pub context: Option<String>,
    pub context_at: usize,
}

/// Reads events from a text.
#[expect(clippy::struct_field_names, reason = "the name of the C library")]
pub(super) struct Parser<'a> {
    parser: Box<MaybeUninit<sys::yaml_parser_t>>,
    finished: bool,
    length: usize,
    text: PhantomData<&'a str>,
}

impl<'a> Parser<'a> {
    /// A parser of this text. `None` if libyaml cannot be set up.
    pub fn new(text: &'a str) -> Option<Self> {
        let mut parser = Box::new(MaybeUninit::<sys::yaml_parser_t>::uninit());
        // SAFETY: the pointer is to memory of the right size that stays at its place (it is boxed); initialize fills it.
        // The text outlives the parser by the lifetime.
        unsafe {
            if sys::yaml_parser_initialize(parser.as_mut_ptr()).fail {
                return None;
            }
            sys::yaml_parser_set_encoding(parser.as_mut_ptr(), sys::YAML_UTF8_ENCODING);
            sys::yaml_parser_set_input_string(
                parser.as_mut_ptr(),
                text.as_ptr(),
                text.len() as u64,
            );
        }
        Some(Self {
            parser,
            finished: false,
            length: text.len(),
            text: PhantomData,
        })
    }

    /// The next event; after the end or a failure always the end of the stream.
    pub fn next(&mut self) -> Result<Event, Failure> {
        if self.finished {
            return Ok(self.end());
        }
        let mut raw = MaybeUninit::<sys::yaml_event_t>::uninit();
        // SAFETY: the parser was initialized by `new`; `raw` is initialized when the call succeeds, read once and then deleted.
        unsafe {
            if sys::yaml_parser_parse(self.parser.as_mut_ptr(), raw.as_mut_ptr()).fail {
                self.finished = true;
                return Err(self.failure());
            }
            let event = read_event(&*raw.as_ptr());
            sys::yaml_event_delete(raw.as_mut_ptr());
            let event = event.unwrap_or_else(|| self.end());
            self.finished = matches!(event.kind, EventKind::StreamEnd);
            Ok(event)
        }
    }

    fn end(&self) -> Event {
        Event {
            kind: EventKind::StreamEnd,
            start: self.length,
            end: self.length,
        }
    }

    fn failure(&self) -> Failure {
        // SAFETY: initialized by `new`; libyaml's problem and context are null or static C strings.
        unsafe {
            let parser = &*self.parser.as_ptr();
            let reader = parser.error == sys::YAML_READER_ERROR;
            Failure {
                problem: static_text(parser.problem)
                    .unwrap_or_else(|| "the text cannot be read".into()),
                at: to_usize(if reader {
                    parser.problem_offset
                } else {
                    parser.problem_mark.index
                }),
                context: static_text(parser.context),
                context_at: to_usize(parser.context_mark.index),
            }
        }
    }
}

impl Drop for Parser<'_> {
    fn drop(&mut self) {
        // SAFETY: initialized by `new`, deleted once.
        unsafe { sys::yaml_parser_delete(self.parser.as_mut_ptr()) }
    }
}

fn to_usize(n: u64) -> usize {
    usize::try_from(n).unwrap_or(usize::MAX)
}

/// # Safety
/// The event must be one that `yaml_parser_parse` filled.
unsafe fn read_event(raw: &sys::yaml_event_t) -> Option<Event> {
    // SAFETY: the member of the union that the type names is the one that was written.
    let kind = unsafe {
        match raw.type_ {
            sys::YAML_STREAM_START_EVENT => EventKind::StreamStart,
            sys::YAML_DOCUMENT_START_EVENT => EventKind::DocumentStart,
            sys::YAML_DOCUMENT_END_EVENT => EventKind::DocumentEnd,
            sys::YAML_ALIAS_EVENT => {
                EventKind::Alias(c_text(raw.data.alias.anchor).unwrap_or_default())
            }
            sys::YAML_SCALAR_EVENT => {
                let scalar = &raw.data.scalar;
                EventKind::Scalar {
                    anchor: c_text(scalar.anchor),
                    tag: c_text(scalar.tag),
                    value: if scalar.value.is_null() {
                        String::new()
                    } else {
                        let bytes =
                            std::slice::from_raw_parts(scalar.value, to_usize(scalar.length));
                        String::from_utf8_lossy(bytes).into_owned()
                    },
                    plain: scalar.plain_implicit,
                }
            }
            sys::YAML_SEQUENCE_START_EVENT => {
                let start = &raw.data.sequence_start;
                EventKind::SequenceStart(Collection {
                    anchor: c_text(start.anchor),
                    tag: c_text(start.tag),
                    flow: start.style == sys::YAML_FLOW_SEQUENCE_STYLE,
                })
            }
            sys::YAML_SEQUENCE_END_EVENT => EventKind::SequenceEnd,
            sys::YAML_MAPPING_START_EVENT => {
                let start = &raw.data.mapping_start;
                EventKind::MappingStart(Collection {
                    anchor: c_text(start.anchor),
                    tag: c_text(start.tag),
                    flow: start.style == sys::YAML_FLOW_MAPPING_STYLE,
                })
            }
            sys::YAML_MAPPING_END_EVENT => EventKind::MappingEnd,
            _ => return None,
        }
    };
    Some(Event {
        kind,
        start: to_usize(raw.start_mark.index),
        end: to_usize(raw.end_mark.index),
    })
}

/// # Safety
/// Null or a C string.
unsafe fn c_text(text: *const u8) -> Option<String> {
    // SAFETY: by the caller's promise.
    unsafe { static_text(text.cast()) }
}

/// # Safety
/// Null or a C string.
unsafe fn static_text(text: *const c_char) -> Option<String> {
    if text.is_null() {
        return None;
    }
    // SAFETY: not null, and a C string by the caller's promise.
    Some(
        unsafe { CStr::from_ptr(text) }
            .to_string_lossy()
            .into_owned(),
    )
}

/// The shape of a scalar to be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ScalarStyle {
    Any,
    SingleQuoted,
    DoubleQuoted,
    Literal,
    Folded,
}

/// How a document is written. Widths and indentation are in columns.
#[derive(Clone, Copy, Debug)]
pub(super) struct Layout {
    pub indent: i32,
    pub width: i32,
    pub unicode: bool,
    pub explicit_start: bool,
    pub explicit_end: bool,
}

/// Writes one document. Failures are remembered and make [`Emitter::finish`] answer `None`.
#[expect(clippy::struct_field_names, reason = "the name of the C library")]
pub(super) struct Emitter {
    emitter: Box<MaybeUninit<sys::yaml_emitter_t>>,
    output: Box<Vec<u8>>,
    failed: bool,
    explicit_end: bool,
}

type Raw = MaybeUninit<sys::yaml_event_t>;

impl Emitter {
    /// Starts the stream and the document. `None` if libyaml cannot be set up.
    pub fn new(layout: Layout) -> Option<Self> {
        let mut emitter = Box::new(MaybeUninit::<sys::yaml_emitter_t>::uninit());
        let mut output: Box<Vec<u8>> = Box::default();
        // SAFETY: both live in boxes that this struct owns, so the pointers stay good until drop.
        unsafe {
            if sys::yaml_emitter_initialize(emitter.as_mut_ptr()).fail {
                return None;
            }
            let raw = emitter.as_mut_ptr();
            sys::yaml_emitter_set_output(raw, append, ptr::from_mut(&mut *output).cast());
            sys::yaml_emitter_set_encoding(raw, sys::YAML_UTF8_ENCODING);
            sys::yaml_emitter_set_indent(raw, layout.indent);
            sys::yaml_emitter_set_width(raw, layout.width);
            sys::yaml_emitter_set_unicode(raw, layout.unicode);
        }
        let mut this = Self {
            emitter,
            output,
            failed: false,
            explicit_end: layout.explicit_end,
        };
        // SAFETY (all calls of `emit`): the closure initializes the event it is given; null means "none" to libyaml.
        this.emit(|event| unsafe {
            sys::yaml_stream_start_event_initialize(event, sys::YAML_UTF8_ENCODING).ok
        });
        this.emit(|event| unsafe {
            sys::yaml_document_start_event_initialize(
                event,
                ptr::null_mut(),
                ptr::null_mut(),
                ptr::null_mut(),
                !layout.explicit_start,
            )
            .ok
        });
        Some(this)
    }

    fn emit(&mut self, init: impl FnOnce(*mut sys::yaml_event_t) -> bool) {
        if self.failed {
            return;
        }
        let mut event = Raw::uninit();
        if !init(event.as_mut_ptr()) {
            self.failed = true;
            return;
        }
        // SAFETY: the event was initialized just now; the emitter takes ownership of it, whatever comes.
        self.failed =
            unsafe { sys::yaml_emitter_emit(self.emitter.as_mut_ptr(), event.as_mut_ptr()).fail };
    }

    /// A scalar. `plain`/`quoted`: whether the tag may be left out in that style.
    pub fn scalar(
        &mut self,
        tag: &CStr,
        text: &str,
        plain: bool,
        quoted: bool,
        style: ScalarStyle,
    ) {
        let Ok(length) = i32::try_from(text.len()) else {
            self.failed = true;
            return;
        };
        let style = match style {
            ScalarStyle::Any => sys::YAML_ANY_SCALAR_STYLE,
            ScalarStyle::SingleQuoted => sys::YAML_SINGLE_QUOTED_SCALAR_STYLE,
            ScalarStyle::DoubleQuoted => sys::YAML_DOUBLE_QUOTED_SCALAR_STYLE,
            ScalarStyle::Literal => sys::YAML_LITERAL_SCALAR_STYLE,
            ScalarStyle::Folded => sys::YAML_FOLDED_SCALAR_STYLE,
        };
        // SAFETY: as in `new`; the text's pointer is good for `length` bytes during the call, which copies them.
        self.emit(|event| unsafe {
            sys::yaml_scalar_event_initialize(
                event,
                ptr::null(),
                tag.as_ptr().cast(),
                text.as_ptr(),
                length,
                plain,
                quoted,
                style,
            )
            .ok
        });
    }

    /// The start of a sequence.
    pub fn sequence_start(&mut self, flow: bool) {
        let style = if flow {
            sys::YAML_FLOW_SEQUENCE_STYLE
        } else {
            sys::YAML_BLOCK_SEQUENCE_STYLE
        };
        // SAFETY: as in `new`.
        self.emit(|event| unsafe {
            sys::yaml_sequence_start_event_initialize(event, ptr::null(), ptr::null(), true, style)
                .ok
        });
    }

    /// The end of a sequence.
    pub fn sequence_end(&mut self) {
        // SAFETY: as in `new`.
        self.emit(|event| unsafe { sys::yaml_sequence_end_event_initialize(event).ok });
    }

    /// The start of a mapping.
    pub fn mapping_start(&mut self, flow: bool) {
        let style = if flow {
            sys::YAML_FLOW_MAPPING_STYLE
        } else {
            sys::YAML_BLOCK_MAPPING_STYLE
        };
        // SAFETY: as in `new`.
        self.emit(|event| unsafe {
            sys::yaml_mapping_start_event_initialize(event, ptr::null(), ptr::null(), true, style)
                .ok
        });
    }

    /// The end of a mapping.
    pub fn mapping_end(&mut self) {
        // SAFETY: as in `new`.
        self.emit(|event| unsafe { sys::yaml_mapping_end_event_initialize(event).ok });
    }

    /// Ends the document and hands out its text.
    pub fn finish(mut self) -> Option<String> {
        let implicit = !self.explicit_end;
        // SAFETY: as in `new`.
        self.emit(|event| unsafe { sys::yaml_document_end_event_initialize(event, implicit).ok });
        // SAFETY: as in `new`.
        self.emit(|event| unsafe { sys::yaml_stream_end_event_initialize(event).ok });
        if self.failed {
            return None;
        }
        // SAFETY: the emitter was initialized by `new`.
        if unsafe { sys::yaml_emitter_flush(self.emitter.as_mut_ptr()).fail } {
            return None;
        }
        String::from_utf8(std::mem::take(&mut *self.output)).ok()
    }
}

impl Drop for Emitter {
    fn drop(&mut self) {
        // SAFETY: initialized by `new`, deleted once.
        unsafe { sys::yaml_emitter_delete(self.emitter.as_mut_ptr()) }
    }
}

/// libyaml's write handler.
///
/// # Safety
/// `data` is the emitter's output, `buffer` good for `size` bytes.
unsafe fn append(data: *mut c_void, buffer: *mut u8, size: u64) -> i32 {
    // SAFETY: by the contract above; nobody else uses the output while libyaml runs.
    unsafe {
        let output = &mut *data.cast::<Vec<u8>>();
        output.extend_from_slice(std::slice::from_raw_parts(buffer, to_usize(size)));
    }
    1
}
