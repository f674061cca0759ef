#!/bin/bash
# Installs imsinspect, audits, leaves the reports and the summary of the job, and ends with the status of the audit.
set -euo pipefail

readonly BAD_USAGE=2 SUMMARY_OCTETS=1000000 # of 1 MiB that a step may write
: "${CAPTURES:?}" "${RUNNER_TEMP:?}" "${GITHUB_OUTPUT:?}" "${GITHUB_ACTION_PATH:?}"
work=$(mktemp -d "$RUNNER_TEMP/imsinspect.XXXXXX")
reports=$work/reports
mkdir "$reports"

end() {
    printf 'status=%s\nreports=%s\n' "$1" "$reports" >>"$GITHUB_OUTPUT"
    [ ! -f "$reports/imsinspect.sarif" ] || printf 'sarif=%s\n' "$reports/imsinspect.sarif" >>"$GITHUB_OUTPUT"
    exit "$1"
}

refuse() {
    printf '::error title=imsinspect::%s\n' "$1"
    end "$BAD_USAGE"
}

# The program: one that is named (tests do), or a new installation of this tree or of another version of it.
install() {
    local source
    if [ -n "${IMSINSPECT:-}" ]; then
        program=$IMSINSPECT
        return
    fi
    source=$(cd "$GITHUB_ACTION_PATH/../../.." && pwd)
    if [ -n "${VERSION:-}" ]; then
        [[ $VERSION =~ ^[A-Za-z0-9][A-Za-z0-9._/-]*$ ]] || refuse "version is no commit, tag or branch"
        [ -n "${REPOSITORY:-}" ] || refuse "version can be given only where the action is used from its repository"
        source=git+${GITHUB_SERVER_URL:-https://github.com}/$REPOSITORY@$VERSION
    fi
    echo "::group::Installing imsinspect"
    if ! { python3 -m venv "$work/python" && "$work/python/bin/pip" install --quiet "$source"; }; then
        refuse "imsinspect could not be installed"
    fi
    echo "::endgroup::"
    program=$work/python/bin/imsinspect
}

# A path, a folder or a pattern on each line; what matches nothing is handed on, so that the audit names it.
expand() {
    local line found
    while IFS= read -r line; do
        line=${line%$'\r'}
        [[ $line =~ [^[:space:]] ]] || continue
        line=${line#"${line%%[![:space:]]*}"}
        line=${line%"${line##*[![:space:]]}"}
        [ "$line" != - ] || refuse "captures can't come from standard input"
        if [ -e "$line" ] || ! found=$(compgen -G "$line" | sort); then
            captures+=("$line")
        else
            while IFS= read -r line; do captures+=("$line"); done <<<"$found"
        fi
    done <<<"$CAPTURES"
    ((${#captures[@]})) || refuse "captures names none"
}

summarise() {
    local file=$reports/imsinspect.md
    [ -f "$file" ] && [ -n "${GITHUB_STEP_SUMMARY:-}" ] || return 0
    if (($(wc -c <"$file") <= SUMMARY_OCTETS)); then
        cat "$file" >>"$GITHUB_STEP_SUMMARY"
    else
        echo "The summary of the audit is too long for this page; it is among the reports." >>"$GITHUB_STEP_SUMMARY"
    fi
}

unmet() {
    python3 -c 'import json, sys; sys.exit(not json.load(open(sys.argv[1], encoding="utf-8"))["unmet"])' \
        "$reports/imsinspect.json"
}

# What was captured may be made to look like a command of the runner: it takes none until the token comes again.
without_commands() {
    local token status=0
    token=$(od -An -N16 -tx1 /dev/urandom | tr -d ' ')
    printf '::stop-commands::%s\n' "$token"
    "$@" || status=$?
    printf '::%s::\n' "$token"
    return "$status"
}

program='' captures=() options=("--fail-on=${FAIL_ON:-medium}") required=() views=()
install
expand
[ -z "${POLICY:-}" ] || options+=("--policy=$POLICY")
case ${STRICT:-false} in
true) strict=(--strict) ;;
false) strict=() ;;
*) refuse "strict is neither true nor false" ;;
esac
read -r -d '' -a rules <<<"${REQUIRE:-}" || true
for rule in "${rules[@]}"; do
    required+=("--require=$rule")
done
known=$("$program" audit --help)
for view in sarif=sarif junit=junit.xml json=json markdown=md html=html; do
    [[ $known != *"${view%%=*}"* ]] || views+=("--output=${view%%=*}=$reports/imsinspect.${view#*=}")
done

status=0
if [ -z "${BASELINE:-}" ]; then
    "$program" audit --quiet --format=github "${options[@]}" "${strict[@]}" "${required[@]}" "${views[@]}" \
        -- "${captures[@]}" || status=$?
    summarise
else
    # The reports tell all, the status what is new, and what --require left open.
    without_commands "$program" audit --quiet "${options[@]}" "${required[@]}" "${views[@]}" \
        -- "${captures[@]}" || status=$?
    summarise
    if ((status < BAD_USAGE)); then
        status=0
        without_commands "$program" baseline check "${options[@]}" "${strict[@]}" "--baseline=$BASELINE" \
            -- "${captures[@]}" || status=$?
        ((status)) || ! unmet || status=1
    fi
fi
end "$status"
