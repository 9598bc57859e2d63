//! The cursor of one host in a play.
//!
//! Behaviour after Ansible's documentation, "Blocks" (rescue and always) and "Handlers".

use super::{Notified, Place};
use crate::playbook::{Block, Item, Role, Task};
use indexmap::IndexSet;
use std::collections::HashSet;
use std::sync::Arc;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Block,
    Rescue,
    Always,
}

impl Phase {
    fn number(self) -> u8 {
        match self {
            Self::Block => 0,
            Self::Rescue => 1,
            Self::Always => 2,
        }
    }
}

/// What a frame runs through.
#[derive(Clone, Debug)]
enum Body {
    Block(Arc<Block>),
    /// What a dynamic include brought: items under labels that are the same for all hosts.
    Included(Arc<Vec<(u32, Item)>>),
    /// The play's handlers; only those notified run.
    Handlers(Arc<Vec<Arc<Task>>>),
}

#[derive(Clone, Debug)]
struct Frame {
    body: Body,
    phase: Phase,
    index: usize,
    /// A failure that waits for `always` to end.
    failed: bool,
}

impl Frame {
    fn new(body: Body) -> Self {
        Self {
            body,
            phase: Phase::Block,
            index: 0,
            failed: false,
        }
    }

    fn items(&self) -> Option<&[Item]> {
        match &self.body {
            Body::Block(block) => Some(match self.phase {
                Phase::Block => &block.block,
                Phase::Rescue => &block.rescue,
                Phase::Always => &block.always,
            }),
            _ => None,
        }
    }

    fn label(&self) -> u32 {
        let plain = u32::try_from(self.index).unwrap_or(u32::MAX);
        match &self.body {
            Body::Included(items) => items.get(self.index).map_or(u32::MAX, |(label, _)| *label),
            _ => plain,
        }
    }
}

/// What a host does next.
#[derive(Clone, Debug)]
pub struct Next {
    /// Where it stands.
    pub place: Place,
    /// The task.
    pub task: Arc<Task>,
    /// Its number among the play's handlers, if it runs as one.
    pub handler: Option<u32>,
}

/// What a failure led to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// A `rescue` section takes over.
    Rescued,
    /// The host is (or will be, after `always` sections) out of the play.
    Final,
}

/// A host's way through a play.
#[derive(Clone, Debug)]
pub struct Cursor {
    frames: Vec<Frame>,
    failed: bool,
    /// It was out of the play for a while.
    dropped_out: bool,
    /// Handlers that wait.
    pub notified: Notified,
    /// Names that were notified, of which nobody has looked yet which handlers they mean.
    pub saved: IndexSet<String>,
    roles_done: HashSet<String>,
    /// Roles of which a task really ran.
    roles_ran: HashSet<String>,
}

impl Cursor {
    /// A cursor at the beginning of these items.
    pub fn new(items: Arc<Vec<(u32, Item)>>) -> Self {
        Self {
            frames: vec![Frame::new(Body::Included(items))],
            failed: false,
            dropped_out: false,
            notified: Notified::default(),
            saved: IndexSet::new(),
            roles_done: HashSet::new(),
            roles_ran: HashSet::new(),
        }
    }

    /// Whether nothing is left to do. (Looking at the next task would enter `always`, and who fails there does not run it.)
    pub fn is_at_end(&self) -> bool {
        self.failed || self.clone().next().is_none()
    }

    /// Whether the host failed for good.
    pub fn is_failed(&self) -> bool {
        self.failed
    }

    /// Whether the host takes part again after it was out of the play: the others go first, to the end.
    pub fn is_behind(&self) -> bool {
        self.dropped_out
    }

    /// Lets a failed host take part again (`meta: clear_host_errors`), from where it stands.
    pub fn clear_failure(&mut self) {
        self.failed = false;
        for frame in &mut self.frames {
            frame.failed = false;
        }
    }

    /// Whether a failure of the current task would be taken by a `rescue` section, and counts as that.
    pub fn would_rescue(&self) -> bool {
        self.clone().fail() == Failure::Rescued && self.counts_as_rescued()
    }

    /// A failed handler that an outermost block rescues counts as failed, as in Ansible, though the block goes on.
    fn counts_as_rescued(&self) -> bool {
        let handlers = |frame: &Frame| matches!(frame.body, Body::Handlers(_));
        let Some(at) = self.frames.iter().position(handlers) else {
            return true;
        };
        let is_role = |frame: &Frame| matches!(&frame.body, Body::Block(block) if block.role_start);
        let mut around = self.frames.iter().take(at).skip(1);
        // the outermost is what the play's list holds
        let outermost = around.by_ref().find(|frame| !is_role(frame));
        let inner = outermost.filter(|frame| !matches!(frame.body, Body::Block(_)));
        inner.into_iter().chain(around).any(|frame| {
            frame.phase == Phase::Block
                && matches!(&frame.body, Body::Block(block) if !block.rescue.is_empty())
        })
    }

    /// Whether it is inside a `rescue` section.
    pub fn in_rescue(&self) -> bool {
        self.frames.iter().any(|frame| frame.phase == Phase::Rescue)
    }

    /// The next task, moving over what is finished; `None` at the end.
    pub fn next(&mut self) -> Option<Next> {
        loop {
            let frame = self.frames.last()?;
            let item = match &frame.body {
                Body::Handlers(handlers) => {
                    let waiting = handlers
                        .iter()
                        .enumerate()
                        .skip(frame.index)
                        .find(|(i, _)| {
                            self.notified
                                .contains(u32::try_from(*i).unwrap_or(u32::MAX))
                        });
                    match waiting {
                        Some((index, handler)) => {
                            let handler = Arc::clone(handler);
                            if let Some(frame) = self.frames.last_mut() {
                                frame.index = index;
                            }
                            return Some(Next {
                                place: self.place(),
                                task: handler,
                                handler: u32::try_from(index).ok(),
                            });
                        }
                        None => None,
                    }
                }
                Body::Included(items) => items.get(frame.index).map(|(_, item)| item.clone()),
                Body::Block(_) => frame
                    .items()
                    .and_then(|items| items.get(frame.index))
                    .cloned(),
            };
            match item {
                Some(Item::Task(task)) => {
                    return Some(Next {
                        place: self.place(),
                        task,
                        handler: None,
                    });
                }
                Some(Item::Block(block)) => {
                    if self.done_before(&block) {
                        self.step();
                    } else {
                        self.frames.push(Frame::new(Body::Block(block)));
                    }
                }
                None => self.leave(),
            }
        }
    }

    fn place(&self) -> Place {
        Place(
            self.frames
                .iter()
                .map(|frame| (frame.phase.number(), frame.label()))
                .collect(),
        )
    }

    /// Notes that a task of the role ran, which a skipped one did not: only such a role is not run again.
    pub fn ran(&mut self, role: &Role) {
        if !self.roles_ran.contains(&role.identity) {
            self.roles_ran.insert(role.identity.clone());
        }
    }

    /// A role runs once with the same parameters, unless it says otherwise.
    fn done_before(&self, block: &Block) -> bool {
        block.role_start
            && block.role.as_ref().is_some_and(|role| {
                !role.allow_duplicates && self.roles_done.contains(&role.identity)
            })
    }

    /// The end of a frame's section: go to the next section, or leave it.
    fn leave(&mut self) {
        let Some(frame) = self.frames.last_mut() else {
            return;
        };
        if matches!(frame.body, Body::Block(_)) && frame.phase != Phase::Always {
            frame.phase = Phase::Always;
            frame.index = 0;
            return;
        }
        let Some(frame) = self.frames.pop() else {
            return;
        };
        if let Body::Block(block) = &frame.body
            && block.role_start
            && let Some(role) = &block.role
            && self.roles_ran.contains(&role.identity)
        {
            self.roles_done.insert(role.identity.clone());
        }
        if frame.failed {
            self.fail();
        } else {
            self.step();
        }
    }

    fn step(&mut self) {
        if let Some(frame) = self.frames.last_mut() {
            frame.index += 1;
        }
    }

    /// The current task is done; go on.
    pub fn advance(&mut self) {
        self.step();
    }

    /// Whether handlers run.
    pub fn in_handlers(&self) -> bool {
        self.frames
            .iter()
            .any(|frame| matches!(frame.body, Body::Handlers(_)))
    }

    /// The current task, if it is a handler, waits no longer.
    pub fn take_off_handler(&mut self) {
        if let Some(Frame {
            body: Body::Handlers(_),
            index,
            ..
        }) = self.frames.last()
        {
            let handler = u32::try_from(*index).unwrap_or(u32::MAX);
            self.notified.remove(handler);
        }
    }

    /// The current task brought more: it comes next, before what follows the task.
    pub fn include(&mut self, items: Arc<Vec<(u32, Item)>>) {
        self.frames.push(Frame::new(Body::Included(items)));
    }

    /// Runs the handlers that wait, then goes on after the current task.
    pub fn flush(&mut self, handlers: Arc<Vec<Arc<Task>>>) {
        self.frames.push(Frame::new(Body::Handlers(handlers)));
    }

    /// The current task failed.
    pub fn fail(&mut self) -> Failure {
        // an outer block that rescues makes even a failing `rescue` no failure of the host
        let rescued = self.frames.iter().any(|frame| {
            frame.phase == Phase::Block
                && matches!(&frame.body, Body::Block(block) if !block.rescue.is_empty())
        });
        let end = if rescued {
            Failure::Rescued
        } else {
            Failure::Final
        };
        while let Some(frame) = self.frames.last_mut() {
            if let Body::Block(block) = &frame.body {
                match frame.phase {
                    Phase::Block if !block.rescue.is_empty() => {
                        frame.phase = Phase::Rescue;
                        frame.index = 0;
                        return Failure::Rescued;
                    }
                    Phase::Block | Phase::Rescue if !block.always.is_empty() => {
                        frame.phase = Phase::Always;
                        frame.index = 0;
                        frame.failed = true;
                        return end;
                    }
                    _ => {}
                }
            }
            self.frames.pop();
        }
        self.failed = true;
        Failure::Final
    }

    /// Out of the play at once, whatever `rescue` and `always` say (an unreachable machine). What comes after the current
    /// task is kept for the case that it takes part again.
    pub fn drop_out(&mut self) {
        self.advance();
        self.failed = true;
        self.dropped_out = true;
    }

    /// The play is over for this host, without a failure (`meta: end_host`).
    pub fn end(&mut self) {
        self.frames.clear();
    }

    /// The innermost role is over for this host (`meta: end_role`).
    pub fn end_role(&mut self) {
        while let Some(frame) = self.frames.pop() {
            if let Body::Block(block) = &frame.body
                && block.role_start
            {
                let ran = block.role.as_ref().map(|role| &role.identity);
                if let Some(identity) = ran.filter(|identity| self.roles_ran.contains(*identity)) {
                    self.roles_done.insert(identity.clone());
                }
                self.step();
                return;
            }
        }
    }
}
