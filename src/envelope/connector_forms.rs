//! Types whose JSON form is another in profile `debezium-cassandra`.

use std::net::{IpAddr, Ipv6Addr};

use super::options::ValueFormat;
use super::value::write_nested;
use crate::cql::ValueError;
use crate::cql::nested::Fields;
use crate::cql::number::write_integer;

const NANOS_A_DAY: i128 = 86_400_000_000_000;
const DAYS_A_MONTH: i128 = 30;

/// Appends a duration in nanoseconds, exact: it may need more than 64 bits.
pub(super) fn write_connector_duration(months: i64, days: i64, nanos: i64, out: &mut Vec<u8>) {
    let days = i128::from(months) * DAYS_A_MONTH + i128::from(days);
    write_integer(days * NANOS_A_DAY + i128::from(nanos), out);
}

/// Appends an address as Java's `InetAddress.toString` prints one without a host name.
pub(super) fn write_connector_inet(address: IpAddr, out: &mut Vec<u8>) {
    out.extend_from_slice(b"\"/");
    write_java_inet(address, out);
    out.push(b'"');
}

/// Appends an address as Java's `InetAddress.getHostAddress` prints it: IPv6 as eight groups without `::`,
/// IPv4-mapped as IPv4.
pub(super) fn write_java_inet(address: IpAddr, out: &mut Vec<u8>) {
    match address {
        IpAddr::V4(v4) => out.extend_from_slice(v4.to_string().as_bytes()),
        IpAddr::V6(v6) => match v6.to_ipv4_mapped() {
            Some(v4) => out.extend_from_slice(v4.to_string().as_bytes()),
            None => write_groups(v6, out),
        },
    }
}

fn write_groups(address: Ipv6Addr, out: &mut Vec<u8>) {
    for (position, group) in address.segments().into_iter().enumerate() {
        out.extend_from_slice(if position > 0 { b":" } else { b"" });
        out.extend_from_slice(format!("{group:x}").as_bytes());
    }
}

/// Appends a tuple as an object of `field1`, `field2`, …
pub(super) fn write_connector_tuple(
    fields: Fields<'_>,
    format: ValueFormat,
    out: &mut Vec<u8>,
) -> Result<(), ValueError> {
    out.push(b'{');
    for (position, field) in fields.enumerate() {
        let (cql_type, bytes) = field?;
        out.extend_from_slice(if position > 0 { b",\"field" } else { b"\"field" });
        write_integer(position + 1, out);
        out.extend_from_slice(b"\":");
        write_nested(cql_type, bytes, format, out)?;
    }
    out.push(b'}');
    Ok(())
}
