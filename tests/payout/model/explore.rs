//! Visits every state that a model can reach, breadth first, so that what it finds is the shortest way there.
//!
//! Our own, and small, instead of a model checking crate: what is asked for beyond invariants, that fair steps lead
//! from *every* state to an end, is a question about the whole graph. Checkers that ask "eventually" along single paths
//! miss answers where paths join or run in circles.

use std::collections::HashMap;
use std::fmt::Debug;
use std::hash::{BuildHasherDefault, Hash, Hasher};

/// A step that the model can take.
pub struct Step<S, A> {
    pub action: A,
    /// Whether it still happens without failures, lies and new requests.
    pub fair: bool,
    /// The state it leads to.
    pub to: S,
    /// The properties that the step itself breaks.
    pub breaks: Properties,
}

/// A set of properties, one bit each.
pub type Properties = u16;

pub trait Model {
    type State: Copy + Eq + Hash + Debug;
    type Action: Copy + Debug;

    fn start(&self) -> Self::State;
    fn steps(&self, state: &Self::State, steps: &mut Vec<Step<Self::State, Self::Action>>);
    /// The properties that a state breaks.
    fn broken(&self, state: &Self::State) -> Properties;
    /// Whether nothing is left to be done.
    fn at_rest(&self, state: &Self::State) -> bool;
}

/// What [`explore`] found.
#[derive(Debug, Default)]
pub struct Explored {
    pub states: usize,
    pub steps: usize,
    /// The longest of the shortest ways to a state.
    pub depth: usize,
    /// The first properties seen broken, and the way there.
    pub broken: Option<(Properties, Vec<String>)>,
}

/// Visits every state, or those up to the first that breaks a property of `watched`. If `rest` is among these, it is
/// broken by a state from which fair steps lead to no rest.
pub fn explore<M: Model>(model: &M, watched: Properties, rest: Properties) -> Explored {
    let mut graph = Graph::<M> { ids: HashMap::default(), nodes: Vec::new(), fair: Vec::new() };
    let mut explored = Explored::default();
    let (mut at, mut steps) = (0, Vec::new());
    graph.visit(model.start(), None);
    while at < graph.nodes.len() && explored.broken.is_none() {
        let state = graph.nodes[at].state;
        explored.depth = graph.nodes[at].depth;
        let broken = model.broken(&state) & watched;
        if broken != 0 {
            explored.broken = Some((broken, graph.way(at)));
        }
        model.steps(&state, &mut steps);
        for step in steps.drain(..) {
            explored.steps += 1;
            if step.breaks & watched != 0 && explored.broken.is_none() {
                let mut way = graph.way(at);
                way.push(format!("{:?}", step.action));
                explored.broken = Some((step.breaks & watched, way));
            }
            let to = graph.visit(step.to, Some((at, step.action)));
            if step.fair && to != at {
                graph.fair.push((to, at));
            }
        }
        at += 1;
    }
    if explored.broken.is_none() && watched & rest != 0 {
        let stuck = graph.cannot_rest(model);
        explored.broken = stuck.map(|stuck| (rest, graph.way(stuck)));
    }
    explored.states = graph.nodes.len();
    explored
}

struct Graph<M: Model> {
    ids: HashMap<M::State, usize, BuildHasherDefault<Quick>>,
    nodes: Vec<Node<M>>,
    /// Fair steps, backwards.
    fair: Vec<(usize, usize)>,
}

struct Node<M: Model> {
    state: M::State,
    depth: usize,
    from: Option<(usize, M::Action)>,
}

impl<M: Model> Graph<M> {
    fn visit(&mut self, state: M::State, from: Option<(usize, M::Action)>) -> usize {
        let next = self.nodes.len();
        let id = *self.ids.entry(state).or_insert(next);
        if id == next {
            let depth = from.map_or(0, |(from, _)| self.nodes[from].depth + 1);
            self.nodes.push(Node { state, depth, from });
        }
        id
    }

    fn way(&self, to: usize) -> Vec<String> {
        let mut way = vec![format!("{:?}", self.nodes[to].state)];
        let mut at = to;
        while let Some((from, action)) = &self.nodes[at].from {
            way.push(format!("{action:?}"));
            at = *from;
        }
        way.reverse();
        way
    }

    /// The first state from which no fair steps lead to rest.
    fn cannot_rest(&mut self, model: &M) -> Option<usize> {
        self.fair.sort_unstable();
        let mut can = vec![false; self.nodes.len()];
        let mut reached: Vec<_> =
            (0..self.nodes.len()).filter(|id| model.at_rest(&self.nodes[*id].state)).collect();
        reached.iter().for_each(|id| can[*id] = true);
        while let Some(to) = reached.pop() {
            let first = self.fair.partition_point(|(end, _)| *end < to);
            for (_, from) in self.fair[first..].iter().take_while(|(end, _)| *end == to) {
                if !can[*from] {
                    can[*from] = true;
                    reached.push(*from);
                }
            }
        }
        can.iter().position(|can| !can)
    }
}

/// A hasher that is quick on many small numbers, for keys that no attacker chooses.
#[derive(Default)]
struct Quick(u64);

impl Hasher for Quick {
    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|byte| self.write_u8(*byte));
    }

    fn write_u8(&mut self, number: u8) {
        self.write_u64(number.into());
    }

    fn write_u64(&mut self, number: u64) {
        self.0 = (self.0.rotate_left(5) ^ number).wrapping_mul(0x517c_c1b7_2722_0a95);
    }

    fn finish(&self) -> u64 {
        self.0
    }
}
