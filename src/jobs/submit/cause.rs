//! Flink answers with stack traces of hundreds of lines: the last cause in them is what happened.

const CAUSE: &str = "Caused by: ";
const SERVER_SIDE: &str = "<Exception on server side:";

/// The text of the last `Caused by`, else of the exception itself, without frames and without the packages of its class.
pub(super) fn last(trace: &str) -> String {
    let trace = trace.split_once(SERVER_SIDE).map_or(trace, |(_, rest)| rest).trim();
    let from_cause = trace.rsplit_once(CAUSE).map_or(trace, |(_, rest)| rest);
    let lines = from_cause.lines().take_while(|line| !is_frame(line)).filter(|line| !line.trim().is_empty());
    let text = lines.collect::<Vec<_>>().join("\n");
    without_packages(text.trim_end_matches("End of exception on server side>").trim()).to_owned()
}

/// The last cause of the texts of an error answer; the longest text is the one with the trace.
pub(super) fn of_errors(errors: &[String]) -> String {
    let trace = errors.iter().max_by_key(|error| error.len());
    trace.map_or_else(|| "no reason is given".to_owned(), |trace| last(trace))
}

fn is_frame(line: &str) -> bool {
    let line = line.trim_start();
    line.starts_with("at ") || (line.starts_with("... ") && line.ends_with(" more"))
}

/// `org.apache.flink.table.api.ValidationException: text` → `ValidationException: text`
fn without_packages(text: &str) -> &str {
    let class = text.split([':', '\n']).next().unwrap_or_default();
    let is_class = class.contains('.') && !class.contains(char::is_whitespace);
    let name = class.rsplit('.').next().unwrap_or_default();
    if is_class { text.get(class.len() - name.len()..).unwrap_or(text) } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    // Shortened from what Flink 1.20.3 answers.
    const NO_FACTORY: &str = "<Exception on server side:\n\
        org.apache.flink.table.gateway.api.utils.SqlGatewayException: Failed to fetchResults.\n\
        \tat org.apache.flink.table.gateway.rest.handler.statement.FetchResultsHandler.handleRequest(X.java:91)\n\
        Caused by: org.apache.flink.table.api.ValidationException: Unable to create a sink for writing table 'b'.\n\
        \tat org.apache.flink.table.factories.FactoryUtil.createDynamicTableSink(FactoryUtil.java:267)\n\
        \t... 12 more\n\
        Caused by: org.apache.flink.table.api.ValidationException: Could not find any factory for identifier 'nowhere'\n\
        \n\
        Available factory identifiers are:\n\
        \n\
        blackhole\n\
        \tat org.apache.flink.table.factories.FactoryUtil.discoverFactory(FactoryUtil.java:624)\n\
        \t... 15 more\n\
        \n\
        End of exception on server side>";

    #[test]
    fn the_last_cause_is_told_without_frames_and_packages() {
        let errors = ["Internal server error.".to_owned(), NO_FACTORY.to_owned()];
        assert_eq!(
            of_errors(&errors),
            "ValidationException: Could not find any factory for identifier 'nowhere'\n\
             Available factory identifiers are:\nblackhole"
        );
    }

    #[test]
    fn an_exception_without_a_cause_is_told_itself() {
        let text =
            "org.apache.flink.runtime.rest.NotFoundException: Job 00 not found\n\tat a.B.c(D.java:1)\n";
        assert_eq!(last(text), "NotFoundException: Job 00 not found");
        assert_eq!(last("Session 'x' does not exist."), "Session 'x' does not exist.");
        assert_eq!(of_errors(&[]), "no reason is given");
    }
}
