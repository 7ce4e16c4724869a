#!/bin/sh
# The quickest agent there is, for measuring everything around it: says that it began and that it is done.
id=none
take=
for word in "$@"; do
  if [ -n "$take" ]; then id=$word take=; fi
  case $word in
  --session-id | --resume) take=1 ;;
  esac
done
if [ -n "${HOME-}" ]; then echo "$id $$ -" >>"$HOME/.stand-in-starts"; fi
printf '%s\n' "{\"type\":\"system\",\"subtype\":\"init\",\"cwd\":\"$PWD\",\"session_id\":\"$id\",\"tools\":[],\"mcp_servers\":[],\"model\":\"stand-in\",\"permissionMode\":\"bypassPermissions\",\"uuid\":\"00000000-0000-4000-8000-000000000001\"}"
# The task is one line; after it there may be more to hear, until there is a result.
head -n 1 >/dev/null
printf '%s\n' "{\"type\":\"result\",\"subtype\":\"success\",\"is_error\":false,\"result\":\"{}\",\"structured_output\":{\"summary\":\"No operation.\",\"nextSteps\":[]},\"num_turns\":1,\"duration_ms\":1,\"duration_api_ms\":0,\"total_cost_usd\":0,\"usage\":{\"input_tokens\":0,\"output_tokens\":0,\"cache_read_input_tokens\":0,\"cache_creation_input_tokens\":0},\"modelUsage\":{},\"permission_denials\":[],\"session_id\":\"$id\",\"uuid\":\"00000000-0000-4000-8000-000000000002\"}"
# Whoever writes must not find the pipe closed.
cat >/dev/null
