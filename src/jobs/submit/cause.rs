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

/// The last cause of the texts of an error answer, and the place in the statement that is named nearest to it.
pub(super) fn of_errors(errors: &[String]) -> (String, Option<(usize, usize)>) {
    // The longest text is the one with the trace.
    match errors.iter().max_by_key(|error| error.len()) {
        Some(trace) => (last(trace), trace.lines().rev().filter(|line| !is_frame(line)).find_map(place)),
        None => ("no reason is given".to_owned(), None),
    }
}

/// `… line 3, column 8 …`, both counted from 1.
fn place(text: &str) -> Option<(usize, usize)> {
    let (line, rest) = text.split_once("line ")?.1.split_once(", column ")?;
    let digits = rest.find(|character: char| !character.is_ascii_digit()).unwrap_or(rest.len());
    let line = line.parse().ok().filter(|line| *line > 0)?;
    Some((line, rest.get(..digits)?.parse().ok()?))
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
        let told = "ValidationException: Could not find any factory for identifier 'nowhere'\n\
                    Available factory identifiers are:\nblackhole";
        assert_eq!(of_errors(&errors), (told.to_owned(), None));
    }

    #[test]
    fn an_exception_without_a_cause_is_told_itself() {
        let text =
            "org.apache.flink.runtime.rest.NotFoundException: Job 00 not found\n\tat a.B.c(D.java:1)\n";
        assert_eq!(last(text), "NotFoundException: Job 00 not found");
        assert_eq!(last("Session 'x' does not exist."), "Session 'x' does not exist.");
        assert_eq!(of_errors(&[]), ("no reason is given".to_owned(), None));
    }

    #[test]
    fn the_place_is_told_where_a_cause_before_names_it() {
        let trace = "a.B: SQL validation failed. From line 7, column 1 to line 7, column 2\n\
            Caused by: c.D: From line 2, column 11 to line 2, column 15: Column 'pay' not found in any table\n\
            \tat c.D.e(line 9, column 9)\n\
            Caused by: f.G: Column 'pay' not found in any table";
        let told = "G: Column 'pay' not found in any table".to_owned();
        assert_eq!(of_errors(&[trace.to_owned()]), (told, Some((2, 11))));
        for none in ["line x, column 3", "line 0, column 3", "on line 4", ""] {
            assert_eq!(place(none), None, "{none}");
        }
    }
}
