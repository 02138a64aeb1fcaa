//! What no two environments may share: a job of one could else read, write or log in where the other belongs.

use std::cell::RefCell;

use super::Environment;
use super::folder::FolderUri;
use crate::jobs::fields::Placed;
use crate::jobs::finding::{Code, Findings, Place};

/// Compares each environment with those before it.
pub(super) fn compare(environments: &[Environment], findings: &RefCell<Findings>) {
    for (number, one) in environments.iter().enumerate() {
        own_groups(one, findings);
        for other in environments.iter().take(number) {
            pair(one, other, findings);
        }
    }
}

fn own_groups(environment: &Environment, findings: &RefCell<Findings>) {
    let groups = environment.consumer_groups.all();
    for (number, group) in groups.iter().enumerate() {
        if groups.iter().take(number).any(|other| other.value == group.value) {
            let message = format!("consumer group {} belongs to two jobs: give each its own", group.value);
            findings.borrow_mut().add(group.place, Code::Shared, message);
        }
    }
}

/// Whether topics of both would be refused beside each other: Kafka takes no two names that differ only in `.` and `_`.
fn is_equal_to_kafka(one: &str, other: &str) -> bool {
    one.replace('_', ".") == other.replace('_', ".")
}

/// Whether one prefix begins with the other and a dot.
fn is_below(one: &str, other: &str) -> bool {
    one.strip_prefix(other).is_some_and(|rest| rest.starts_with('.'))
}

fn pair(one: &Environment, other: &Environment, findings: &RefCell<Findings>) {
    let shared = |place: Place, what: String| {
        let message = format!("{what} belongs to {} already: each environment has its own", other.name.value);
        findings.borrow_mut().add(place, Code::Shared, message);
    };
    let same = |what: &str, a: &Placed<String>, b: &Placed<String>| {
        if a.value == b.value {
            shared(a.place, format!("{what} {}", a.value));
        }
    };
    let (prefix, theirs) = (&one.topic_prefix, &other.topic_prefix);
    if is_equal_to_kafka(&prefix.value, &theirs.value) {
        shared(prefix.place, format!("topic_prefix {}", prefix.value));
    } else if is_below(&prefix.value, &theirs.value) || is_below(&theirs.value, &prefix.value) {
        let (name, theirs) = (&other.name.value, &theirs.value);
        let message = format!(
            "topic_prefix {} beside {theirs} of {name}: permissions for the topics of one would hold for the other; choose prefixes \
             of which none begins with another and a dot",
            prefix.value
        );
        findings.borrow_mut().add(prefix.place, Code::Shared, message);
    }
    same("datacenter", &one.cassandra.datacenter, &other.cassandra.datacenter);
    let (directory, theirs) = (&one.checkpoints.directory, &other.checkpoints.directory);
    let (ours, theirs) = (FolderUri::of(&directory.value), FolderUri::of(&theirs.value));
    if theirs.holds(&ours) {
        shared(directory.place, format!("checkpoint directory {}", directory.value));
    } else if ours.holds(&theirs) {
        shared(directory.place, format!("a part of checkpoint directory {}", directory.value));
    }
    for group in one.consumer_groups.all() {
        for theirs in other.consumer_groups.all() {
            same("consumer group", group, theirs);
        }
    }
    for host in &one.cassandra.hosts {
        if other.cassandra.hosts.iter().any(|theirs| theirs.value == host.value) {
            shared(host.place, format!("host {}", host.value));
        }
    }
    for network in &one.cassandra.allowed_networks {
        if other.cassandra.allowed_networks.iter().any(|theirs| theirs.value.overlaps(&network.value)) {
            shared(network.place, format!("a part of network {}", network.value));
        }
    }
    if let (Some(ours), Some(theirs)) = (&one.kafka.credentials, &other.kafka.credentials)
        && ours.credentials.password == theirs.credentials.password
    {
        shared(one.name.place, "the reference to the Kafka password".to_owned());
    }
    if let (Some(ours), Some(theirs)) = (&one.cassandra.credentials, &other.cassandra.credentials)
        && ours.value.password == theirs.value.password
    {
        shared(ours.place, "the reference to the Cassandra password".to_owned());
    }
}
