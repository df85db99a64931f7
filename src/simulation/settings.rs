//! [`Settings`]: what a seed decides before a run begins: how many machines, how the node behaves, how often what fails.

use super::node::NodeBehavior;
use super::random::Random;

#[derive(Clone, Copy, Debug)]
pub(super) struct Settings {
    pub(super) machines: u8,
    /// Which payouts are owed, and how many: the fewer, the more is going on at each.
    pub(super) first_payout: u64,
    pub(super) payouts: u64,
    pub(super) actions: u32,
    pub(super) behavior: NodeBehavior,
    /// Chances out of 1000.
    pub(super) store_fault: u64,
    pub(super) node_fault: u64,
    pub(super) old_read: u64,
    /// Whether clocks jump, and by how much at most, in seconds.
    pub(super) clock_jumps: u64,
    /// Whether an operator now and then releases what a worker may still begin.
    pub(super) careless: bool,
    /// Whether workers sometimes stand still for long.
    pub(super) stalls: bool,
    pub(super) is_disk: bool,
    /// The payer is not the simulator's own, and may report failures that the node did not.
    pub(super) has_custom_payer: bool,
}

impl Settings {
    pub(super) fn draw(
        random: &mut Random,
        is_disk: bool,
        has_custom_payer: bool,
        fixed: Option<NodeBehavior>,
    ) -> Self {
        let machines = if is_disk { 1 } else { random.weighted(&[(3, 1), (4, 2), (3, 3)]).unwrap_or(1) };
        // Half of the nodes keep the whole contract, so half of the runs allow no exception.
        let mut behavior = NodeBehavior::new();
        if random.chance(500) {
            if random.chance(400) {
                behavior = behavior.refuses_second(false);
            }
            if random.chance(300) {
                behavior = behavior.failed_is_final(false);
            }
            if random.chance(300) {
                // Never before the 300 seconds in which recovery begins a payment.
                behavior = behavior.forgets_after(random.pick(&[480, 900, 3_600]).copied().unwrap_or(480));
            }
            behavior = behavior.reverses_failures(random.chance(400));
        }
        Self {
            machines,
            first_payout: random.below(8),
            payouts: random.pick(&[2, 4, 8]).copied().unwrap_or(8),
            actions: if is_disk { 160 } else { 300 },
            behavior: fixed.unwrap_or(behavior),
            store_fault: random.pick(&[0, 40, 120]).copied().unwrap_or(0),
            node_fault: random.pick(&[50, 200, 500]).copied().unwrap_or(0),
            old_read: random.pick(&[0, 300, 700]).copied().unwrap_or(0),
            clock_jumps: random.pick(&[0, 0, 20, 4_000]).copied().unwrap_or(0),
            careless: random.chance(100),
            stalls: random.chance(300),
            is_disk,
            has_custom_payer,
        }
    }
}
