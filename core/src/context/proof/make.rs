//! The proof of some keys, made of the context in which the state is.

use alloc::vec;
use alloc::vec::Vec;

use super::node::{MAX_NODES, Node, Shape};
use super::{Kinded, MAX_PROOF, Proof};
use crate::code::Code;
use crate::context::pack::{ENTRIES, Kind, hashing};
use crate::context::parts::{Linked, Named, Part, bit};
use crate::context::{Context, durable};
use crate::feedback::Feedback;
use crate::problem::{Problem, Result};
use crate::read_at::Files;

/// What a proof is to show: whether there is something at a path of the tree, and if that is contents, which.
#[derive(Clone, Debug)]
struct Wanted {
    path: Vec<Vec<u8>>,
    /// All that is below the end of the path as well.
    whole: bool,
}

/// What is to be shown of a part: numbers of what is wanted, and how many steps of its path are behind us.
type Below = Vec<(usize, usize)>;

/// A part of a directory that is to be opened, and who refers to it.
struct Task {
    node: usize,
    named: Named,
    depth: u64,
    bits: u64,
    below: Below,
}

impl Proof {
    /// The proof that the state in the directory `state` (`pvm_state`) has these keys, with their values, or does not
    /// have them; and the same of paths in the tree of the state, such as `pvm/max_nb_ticks`.
    ///
    /// # Errors
    /// [`Code::ProofLarge`]; [`Code::ContextHash`], [`Code::ContextShape`], [`Code::ContextEntry`],
    /// [`Code::ContextChild`] for what is damaged; [`Code::Cancelled`]; whatever the files report.
    pub fn of<F: Files>(
        context: &Context<F>,
        state: Named,
        keys: &[Vec<Vec<u8>>],
        paths: &[Vec<Vec<u8>>],
        feedback: &dyn Feedback,
    ) -> Result<Self> {
        let key = |key: &Vec<Vec<u8>>| {
            let mut path = vec![durable::ROOT.to_vec()];
            path.extend(key.iter().cloned());
            path.push(durable::VALUE.to_vec());
            Wanted { path, whole: true }
        };
        let path = |path: &Vec<Vec<u8>>| Wanted { path: path.clone(), whole: false };
        let wanted: Vec<Wanted> = keys.iter().map(key).chain(paths.iter().map(path)).collect();
        let mut maker = Maker { wanted: &wanted, nodes: Vec::new(), tasks: Vec::new(), bytes: 0 };
        let all: Below = (0..wanted.len()).map(|number| (number, 0)).collect();
        let root = maker.add(Kind::Root, Shape::Blinded(state.hash))?;
        if maker.opens(&all) {
            maker.tasks.push(Task { node: root, named: state, depth: 0, bits: 0, below: all });
        }
        while let Some(task) = maker.tasks.pop() {
            feedback.checkpoint()?;
            maker.open(context, task)?;
        }
        let kinded = Kinded { directory: true, hash: state.hash };
        Ok(Self { before: kinded, after: kinded, nodes: maker.nodes })
    }
}

struct Maker<'w> {
    wanted: &'w [Wanted],
    nodes: Vec<Node>,
    tasks: Vec<Task>,
    /// About how many bytes the proof has so far.
    bytes: usize,
}

impl Maker<'_> {
    fn add(&mut self, kind: Kind, shape: Shape) -> Result<usize> {
        self.bytes += match &shape {
            Shape::Value(bytes) => bytes.len() + 5,
            _ => 33,
        };
        if self.bytes > MAX_PROOF || self.nodes.len() >= MAX_NODES {
            return Err(Problem::new(Code::ProofLarge));
        }
        self.nodes.push(Node { kind, shape });
        Ok(self.nodes.len() - 1)
    }

    /// Whether any of it is further below.
    fn opens(&self, below: &Below) -> bool {
        below.iter().any(|(number, done)| {
            self.wanted.get(*number).is_some_and(|wanted| wanted.whole || *done < wanted.path.len())
        })
    }

    /// Puts what a part consists of into its node.
    fn open<F: Files>(&mut self, context: &Context<F>, task: Task) -> Result<()> {
        let Task { mut node, mut named, mut depth, mut bits, mut below } = task;
        let (mut segment, mut entries) = (Vec::new(), 0);
        // Parts that stand alone become one node.
        let part = loop {
            let part = context.named_part(&named, depth, bits)?;
            let (len, at, only) = match part {
                Part::Tree(len, [Some(only), None]) => (len, 0, only),
                Part::Tree(len, [None, Some(only)]) => (len, 1, only),
                part => break Some(part),
            };
            (entries, depth, bits, named) = (len, depth + 1, bits << 1 | u64::from(at), only);
            segment.push(at);
            below.retain(|wanted| self.leads(*wanted, depth - 1, usize::from(at)));
            if below.is_empty() {
                break None;
            }
        };
        if !segment.is_empty() {
            let end = self.add(Kind::Inner, Shape::Blinded(named.hash))?;
            self.set(node, Shape::Extender(entries, segment, end));
            node = end;
        }
        match part {
            Some(Part::Values(entries)) => self.entries(context, node, entries, &below),
            Some(Part::Tree(len, parts)) => self.parts(node, len, parts, (depth, bits), &below),
            None => Ok(()),
        }
    }

    fn parts(
        &mut self,
        node: usize,
        len: u64,
        parts: [Option<Named>; ENTRIES],
        (depth, bits): (u64, u64),
        below: &Below,
    ) -> Result<()> {
        let mut children = [None; ENTRIES];
        for (at, (part, child)) in parts.into_iter().zip(&mut children).enumerate() {
            let Some(named) = part else { continue };
            let part = self.add(Kind::Inner, Shape::Blinded(named.hash))?;
            *child = Some(part);
            let below: Below =
                below.iter().copied().filter(|wanted| self.leads(*wanted, depth, at)).collect();
            if !below.is_empty() {
                let (depth, bits) = (depth + 1, bits << 1 | at as u64);
                self.tasks.push(Task { node: part, named, depth, bits, below });
            }
        }
        self.set(node, Shape::Parts(len, children));
        Ok(())
    }

    fn entries<F: Files>(
        &mut self,
        context: &Context<F>,
        node: usize,
        entries: Vec<Linked>,
        below: &Below,
    ) -> Result<()> {
        let mut children = Vec::new();
        for entry in entries {
            let named = entry.named();
            let below: Below =
                below.iter().filter_map(|wanted| self.enter(*wanted, &entry.link.name)).collect();
            let child = if entry.link.directory {
                let child = self.add(Kind::Root, Shape::Blinded(named.hash))?;
                if self.opens(&below) {
                    self.tasks.push(Task { node: child, named, depth: 0, bits: 0, below });
                }
                child
            } else if below.iter().any(|wanted| self.ends(*wanted)) {
                let room = MAX_PROOF.saturating_sub(self.bytes) as u64;
                if entry.size > room {
                    return Err(Problem::new(Code::ProofLarge));
                }
                let bytes = context.named_contents(&named, room)?;
                self.add(Kind::Contents, Shape::Value(bytes))?
            } else {
                self.add(Kind::Contents, Shape::Blinded(named.hash))?
            };
            self.bytes += entry.link.name.len();
            children.push((entry.link.name, child));
        }
        self.set(node, Shape::Entries(children));
        Ok(())
    }

    fn set(&mut self, node: usize, shape: Shape) {
        if let Some(node) = self.nodes.get_mut(node) {
            node.shape = shape;
        }
    }

    /// The next step of a path; `None` behind its end.
    fn step(&self, (number, done): (usize, usize)) -> Option<&[u8]> {
        self.wanted.get(number)?.path.get(done).map(|step| &step[..])
    }

    fn ends(&self, wanted: (usize, usize)) -> bool {
        self.step(wanted).is_none()
    }

    /// Whether there is something for it in the part where this bit leads.
    fn leads(&self, wanted: (usize, usize), depth: u64, at: usize) -> bool {
        self.step(wanted).is_none_or(|step| bit(hashing::bits(step), depth) == at)
    }

    /// What is left of it below the entry of this name.
    fn enter(&self, wanted: (usize, usize), name: &[u8]) -> Option<(usize, usize)> {
        match self.step(wanted) {
            None => Some(wanted),
            Some(step) => (step == name).then_some((wanted.0, wanted.1 + 1)),
        }
    }
}
