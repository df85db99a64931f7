//! Route blinding as BOLT 4 has it, and the compact encodings of paths.

use bolt12::blinding::{HopData, blind, unblind};
use bolt12::field::{BlindedPathBuf, Direction, FirstNode};
use secp256k1::{PublicKey, SecretKey};
use serde_json::Value;

use testkit::{hex, vectors};

fn secret(value: &Value) -> SecretKey {
    SecretKey::from_slice(&hex(value.as_str().unwrap())).unwrap()
}

fn public(value: &Value) -> PublicKey {
    value.as_str().unwrap().parse().unwrap()
}

#[test]
fn the_official_path_is_made_hop_by_hop() {
    let file: Value = vectors("bolt12/blinded_paths.json");
    let hops = file["generate"].as_array().unwrap();
    assert_eq!(hops.len(), 4);
    let plain: Vec<(PublicKey, Vec<u8>)> =
        hops.iter().map(|hop| (public(&hop["node_id"]), hex(hop["plaintext"].as_str().unwrap()))).collect();
    let borrowed: Vec<(PublicKey, &[u8])> = plain.iter().map(|(node, data)| (*node, &data[..])).collect();
    // Dave makes the second half; Carol, who ends the first, gets its path key.
    let first = blind(&secret(&hops[0]["session_key"]), &borrowed[..2]).unwrap();
    let second = blind(&secret(&hops[2]["session_key"]), &borrowed[2..]).unwrap();
    assert_eq!(first.path_key, public(&hops[0]["path_key"]));
    assert_eq!(second.path_key, public(&hops[2]["path_key"]));
    let made = first.hops.iter().chain(&second.hops);
    for ((node_id, data), hop) in made.zip(hops) {
        assert_eq!(*node_id, public(&hop["blinded_node_id"]), "{}", hop["alias"]);
        assert_eq!(*data, hex(hop["ciphertext"].as_str().unwrap()), "{}", hop["alias"]);
    }
    let mut whole = first;
    whole.hops.extend(second.hops);
    assert_eq!(whole.to_bytes().unwrap(), hex(file["path"]["encoded_by_us"].as_str().unwrap()));
}

#[test]
fn every_hop_opens_its_own_data_and_no_other() {
    let file: Value = vectors("bolt12/blinded_paths.json");
    let hops = file["unblind"].as_array().unwrap();
    assert_eq!(hops.len(), 4);
    let encrypted = file["path"]["hops"].as_array().unwrap();
    for (index, hop) in hops.iter().enumerate() {
        let data = hex(encrypted[index]["encrypted_recipient_data"].as_str().unwrap());
        let (node, path_key) = (secret(&hop["node_secret"]), public(&hop["path_key"]));
        let opened = unblind(&node, &path_key, &data).unwrap();
        assert_eq!(opened.data, hex(hop["plaintext"].as_str().unwrap()));
        assert_eq!(opened.next_path_key, public(&hop["next_path_key"]));
        assert_eq!(opened.blinded_secret, secret(&hop["blinded_secret"]));
        assert!(!format!("{opened:?}").contains(hop["blinded_secret"].as_str().unwrap()));
        let other = hex(encrypted[(index + 1) % 4]["encrypted_recipient_data"].as_str().unwrap());
        assert_eq!(
            unblind(&node, &path_key, &other).unwrap_err().to_string(),
            "the data of 81 bytes does not open with this node's key and path key"
        );
    }
}

#[test]
fn hop_data_is_read_and_written_byte_for_byte() {
    let file: Value = vectors("bolt12/blinded_paths.json");
    for hop in file["generate"].as_array().unwrap() {
        let bytes = hex(hop["plaintext"].as_str().unwrap());
        let data = HopData::read(&bytes).unwrap();
        assert_eq!(data.to_bytes(), bytes);
        let fields = &hop["plaintext_fields"];
        let short_channel_id = data.short_channel_id.map(|id| id.to_string());
        assert_eq!(short_channel_id.as_deref(), fields["short_channel_id"].as_str());
        let relay = data
            .payment_relay
            .map(|relay| (relay.cltv_expiry_delta, relay.fee_proportional_millionths, relay.fee_base_msat));
        let expected = &fields["payment_relay"];
        let number = |value: &Value| value.as_u64().unwrap();
        assert_eq!(
            relay.map(|(delta, rate, base)| [u64::from(delta), rate.into(), base.into()]),
            (!expected.is_null()).then(|| [
                number(&expected["cltv_expiry_delta"]),
                number(&expected["fee_proportional_millionths"]),
                number(&expected["fee_base_msat"]),
            ])
        );
        let limits = data.payment_constraints.unwrap();
        let expected = &fields["payment_constraints"];
        assert_eq!(u64::from(limits.max_cltv_expiry), number(&expected["max_cltv_expiry"]));
        assert_eq!(limits.htlc_minimum_msat, number(&expected["htlc_minimum_msat"]));
        let bits: Vec<u64> =
            data.allowed_features.unwrap().bits().map(|bit| bit.try_into().unwrap()).collect();
        assert_eq!(serde_json::json!(bits), fields["allowed_feature_bits"]);
        assert_eq!(data.path_id.map(<[u8]>::to_vec), fields["path_id"].as_str().map(hex));
        let unknown = fields["unknown"].as_object().map_or(0, serde_json::Map::len);
        assert_eq!(data.others.len(), unknown);
    }
}

#[test]
fn compact_paths_are_read_and_written() {
    let file: Value = vectors("bolt12/blinded_paths.json");
    let cases = file["compact"].as_array().unwrap();
    assert_eq!(cases.len(), 4);
    for case in cases {
        let bytes = hex(case["encoded"].as_str().unwrap());
        let path = BlindedPathBuf::try_from(&bytes[..]).unwrap();
        assert_eq!(path.to_bytes().unwrap(), bytes);
        let expected = &case["path"];
        match path.first_node {
            FirstNode::NodeId(id) => assert_eq!(id, public(&expected["first_node"]["id"])),
            FirstNode::Channel { direction, short_channel_id } => {
                let direction = match direction {
                    Direction::NodeOne => 0,
                    Direction::NodeTwo => 1,
                };
                assert_eq!(expected["first_node"]["direction"], direction);
                assert_eq!(expected["first_node"]["scid"], short_channel_id.to_string());
            }
        }
        assert_eq!(path.path_key, public(&expected["first_path_key"]));
        let hop = &expected["hops"][0];
        assert_eq!(path.hops[0].0, public(&hop["blinded_node_id"]));
        assert_eq!(path.hops[0].1, hex(hop["encrypted_recipient_data"].as_str().unwrap()));
    }
}

#[test]
fn first_nodes_are_points_or_channel_ends_and_nothing_else() {
    let file: Value = vectors("bolt12/blinded_paths.json");
    let cases = file["node_ids"].as_array().unwrap();
    assert_eq!(cases.len(), 6);
    let compact = hex(file["compact"][0]["encoded"].as_str().unwrap());
    for case in cases {
        let node = hex(case["encoded"].as_str().unwrap());
        // The first compact path begins with 9 bytes of channel.
        let bytes = [&node[..], &compact[9..]].concat();
        let path = BlindedPathBuf::try_from(&bytes[..]);
        match case["kind"].as_str().unwrap() {
            "public_key" => {
                assert_eq!(path.unwrap().first_node, FirstNode::NodeId(public(&case["key"])));
            }
            "short_channel_id_and_direction" => {
                let FirstNode::Channel { short_channel_id, .. } = path.unwrap().first_node else {
                    panic!("{case}")
                };
                assert_eq!(case["scid"], short_channel_id.to_string());
            }
            _ => {
                let expected = format!(
                    "at byte 0 of the value: first node begins with {:#04x}: expected 0 or 1 (short channel id) or 2 or 3 (point)",
                    node[0]
                );
                assert_eq!(path.unwrap_err().to_string(), expected);
            }
        }
    }
}
