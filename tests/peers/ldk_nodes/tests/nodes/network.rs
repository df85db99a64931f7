//! LDK's functional-test nodes, with channels in a row, and the messages between them.

use bitcoin::secp256k1::PublicKey;
use lightning::events::{Event, PaymentPurpose};
use lightning::ln::functional_test_utils::*;
use lightning::ln::msgs::{
    BaseMessageHandler, ChannelMessageHandler, MessageSendEvent,
};

/// A node that is never dropped, so that threads may use it.
pub type LdkNode = Node<'static, 'static, 'static>;
/// Its manager.
pub type Manager = &'static TestChannelManager<'static, 'static>;

/// Nodes in a row. The first pays.
pub struct Network {
    nodes: &'static [LdkNode],
}

impl Network {
    /// `count` nodes, each with an announced channel to the next.
    pub fn new(count: usize) -> Self {
        let chain = leak(create_chanmon_cfgs(count));
        let configs = leak(create_node_cfgs(count, chain));
        let managers =
            leak(create_node_chanmgrs(count, configs, &vec![None; count]));
        let nodes = leak(create_network(count, configs, managers));
        for i in 1..count {
            create_announced_chan_between_nodes_with_value(
                nodes,
                i - 1,
                i,
                10_000_000,
                1_000_000_000,
            );
        }
        for node in nodes.iter() {
            connect_blocks(node, 40 - node.best_block_info().1);
        }
        Self { nodes }
    }

    pub fn payer(&self) -> &LdkNode {
        &self.nodes[0]
    }

    pub fn payee(&self) -> &LdkNode {
        self.nodes.last().unwrap()
    }

    pub fn manager(&self) -> Manager {
        self.payer().node
    }

    /// Carries messages until all nodes are silent. The payee claims what comes. Returns the events of the payer.
    pub fn run(&self) -> Vec<Event> {
        let mut seen = Vec::new();
        loop {
            let mut is_quiet = true;
            for (i, node) in self.nodes.iter().enumerate() {
                node.node.process_pending_htlc_forwards();
                for event in node.node.get_and_clear_pending_msg_events() {
                    is_quiet = false;
                    self.carry(node, event);
                }
                for event in node.node.get_and_clear_pending_events() {
                    is_quiet = false;
                    match event {
                        event if i == 0 => seen.push(event),
                        Event::PaymentClaimable { purpose, .. } => {
                            claim(node, &purpose)
                        }
                        _ => {}
                    }
                }
                node.chain_monitor.added_monitors.lock().unwrap().clear();
            }
            if is_quiet {
                return seen;
            }
        }
    }

    fn carry(&self, from: &LdkNode, event: MessageSendEvent) {
        let sender = from.node.get_our_node_id();
        match event {
            MessageSendEvent::UpdateHTLCs { node_id, updates, .. } => {
                let to = self.node(node_id).node;
                updates
                    .update_add_htlcs
                    .iter()
                    .for_each(|message| to.handle_update_add_htlc(sender, message));
                for message in updates.update_fulfill_htlcs {
                    to.handle_update_fulfill_htlc(sender, message);
                }
                updates
                    .update_fail_htlcs
                    .iter()
                    .for_each(|message| to.handle_update_fail_htlc(sender, message));
                let malformed = updates.update_fail_malformed_htlcs.iter();
                malformed.for_each(|message| {
                    to.handle_update_fail_malformed_htlc(sender, message)
                });
                to.handle_commitment_signed_batch_test(
                    sender,
                    &updates.commitment_signed,
                );
            }
            MessageSendEvent::SendRevokeAndACK { node_id, msg } => {
                self.node(node_id).node.handle_revoke_and_ack(sender, &msg);
            }
            MessageSendEvent::BroadcastChannelUpdate { .. }
            | MessageSendEvent::SendChannelUpdate { .. } => {}
            other => panic!("unexpected message {other:?}"),
        }
    }

    fn node(&self, id: PublicKey) -> &LdkNode {
        self.nodes.iter().find(|node| node.node.get_our_node_id() == id).unwrap()
    }

    /// Lets the payer's node forget the payments that have ended, as it does after some minutes.
    pub fn forget(&self) {
        for _ in 0..20 {
            self.payer().node.timer_tick_occurred();
        }
        self.payer().node.get_and_clear_pending_msg_events();
        assert!(self.payer().node.list_recent_payments().is_empty());
    }

    /// Drops the onion messages of the payee: these tests take its invoices from its calls.
    pub fn drop_onion_messages(&self) {
        for node in self.nodes {
            let id = node.node.get_our_node_id();
            while self
                .payee()
                .onion_messenger
                .next_onion_message_for_peer(id)
                .is_some()
            {}
        }
    }
}

use lightning::ln::msgs::OnionMessageHandler;

fn claim(node: &LdkNode, purpose: &PaymentPurpose) {
    assert!(matches!(
        purpose,
        PaymentPurpose::Bolt12RefundPayment { .. }
            | PaymentPurpose::Bolt12OfferPayment { .. }
    ));
    node.node.claim_funds(purpose.preimage().unwrap());
}

fn leak<T>(value: T) -> &'static T {
    Box::leak(Box::new(value))
}
