#!/bin/sh
# The interface of the sample's frontend, in shell for busybox' httpd: cmd=set&key=K&value=V goes to the leader, cmd=get&key=K to a
# follower.
set -f
leader=redis-leader
follower=redis-follower
if [ "$GET_HOSTS_FROM" = env ]; then
    leader=$REDIS_LEADER_SERVICE_HOST
    follower=$REDIS_FOLLOWER_SERVICE_HOST
fi
cmd=
key=
value=
IFS='&'
for pair in $QUERY_STRING; do
    case $pair in
        cmd=*) cmd=${pair#cmd=} ;;
        key=*) key=$(httpd -d "${pair#key=}") ;;
        value=*) value=$(httpd -d "${pair#value=}") ;;
    esac
done
case $cmd in
    set) answer=$(redis-cli -h "$leader" SET "$key" "$value") && answer='{"message": "Updated"}' ;;
    get) answer=$(redis-cli -h "$follower" GET "$key") && answer="{\"data\": \"$answer\"}" ;;
    *) answer='{"message": "cmd is set or get"}' ;;
esac || { printf 'Status: 502 Bad Gateway\r\nContent-Type: text/plain\r\n\r\n%s\n' "$answer"; exit; }
printf 'Content-Type: application/json\r\n\r\n%s\n' "$answer"
