/* What libre makes of BFCP, for test_bfcp_libre.py.
 *
 * A message is written as lines: "message VERSION R PRIMITIVE CONFERENCE TRANSACTION USER", then for each attribute
 * "attribute DEPTH TYPE M VALUE", then "end". The value is a decimal number; "STATUS/POSITION"; "CODE:" and the details
 * in hexadecimal digits; or "=" and the octets of a text or list in hexadecimal digits.
 *
 *   encode        messages from standard input, their octets to standard output, a line each
 *   decode        the other way round; "error NUMBER" for what libre refuses
 *   names         names of all code points below 32
 *   serve         a floor control server on a UDP port of the loopback, which is printed; until a Goodbye comes
 *   call PORT     a Hello and a FloorQuery to such a server; what it answers is printed
 */
#include <stdint.h>
#include <stdbool.h>
#include <stdlib.h>
#include <stdio.h>
#include <string.h>
#include <sys/types.h>
#include <re.h>

enum { MAX_ATTRIBUTES = 64, MAX_LINE = 4096, MAX_LIST = 255 };

struct attribute {
	unsigned depth, type, mandatory;
	uint16_t number;
	enum bfcp_priority priority;
	struct bfcp_reqstatus status;
	struct bfcp_errcode error;
	struct bfcp_supattr types;
	struct bfcp_supprim primitives;
	enum bfcp_attrib type_list[MAX_LIST];
	enum bfcp_prim primitive_list[MAX_LIST];
	uint8_t octets[MAX_LIST + 1];
	size_t length;
};

static struct attribute attributes[MAX_ATTRIBUTES];
static unsigned attribute_count;

struct range {
	unsigned from, to;
};

static size_t from_hex(uint8_t *to, const char *digits)
{
	size_t count = 0;
	unsigned octet;

	while (count < MAX_LIST && sscanf(digits + 2 * count, "%2x", &octet) == 1)
		to[count++] = (uint8_t)octet;
	to[count] = 0;
	return count;
}

static const void *value_of(struct attribute *a)
{
	switch (a->type) {
	case BFCP_PRIORITY:
		return &a->priority;
	case BFCP_REQUEST_STATUS:
		return &a->status;
	case BFCP_ERROR_CODE:
		return &a->error;
	case BFCP_ERROR_INFO:
	case BFCP_PART_PROV_INFO:
	case BFCP_STATUS_INFO:
	case BFCP_USER_DISP_NAME:
	case BFCP_USER_URI:
		return a->octets;
	case BFCP_SUPPORTED_ATTRS:
		return &a->types;
	case BFCP_SUPPORTED_PRIMS:
		return &a->primitives;
	default:
		return &a->number;
	}
}

static int encode_range(struct mbuf *mb, void *arg)
{
	struct range *range = arg;
	unsigned i = range->from;

	while (i < range->to) {
		struct attribute *a = &attributes[i];
		struct range inside = { i + 1, i + 1 };
		struct bfcp_encode encoder = { encode_range, &inside };
		int type = (int)(a->type | (a->mandatory ? BFCP_MANDATORY : 0));
		int err;

		while (inside.to < range->to && attributes[inside.to].depth > a->depth)
			++inside.to;
		if (inside.from < inside.to)
			err = bfcp_attrs_encode(mb, 1, type, 1u, value_of(a), BFCP_ENCODE_HANDLER, 0u, &encoder);
		else
			err = bfcp_attrs_encode(mb, 1, type, 0u, value_of(a));
		if (err)
			return err;
		i = inside.to;
	}
	return 0;
}

static void read_attribute(const char *line)
{
	struct attribute *a = &attributes[attribute_count];
	char value[MAX_LINE];
	unsigned code, position;
	size_t i;

	if (attribute_count == MAX_ATTRIBUTES)
		return;
	memset(a, 0, sizeof(*a));
	if (sscanf(line, "attribute %u %u %u %4000s", &a->depth, &a->type, &a->mandatory, value) != 4)
		return;
	++attribute_count;
	if (value[0] == '=') {
		a->length = from_hex(a->octets, value + 1);
		a->types.attrv = a->type_list;
		a->primitives.primv = a->primitive_list;
		a->types.attrc = a->primitives.primc = a->length;
		for (i = 0; i < a->length; i++) {
			a->type_list[i] = (enum bfcp_attrib)a->octets[i];
			a->primitive_list[i] = (enum bfcp_prim)a->octets[i];
		}
	}
	else if (strchr(value, ':')) {
		a->error.code = (enum bfcp_err)atoi(value);
		a->error.len = from_hex(a->octets, strchr(value, ':') + 1);
		a->error.details = a->octets;
	}
	else if (sscanf(value, "%u/%u", &code, &position) == 2) {
		a->status.status = (enum bfcp_reqstat)code;
		a->status.qpos = (uint8_t)position;
	}
	else {
		a->number = (uint16_t)atoi(value);
		a->priority = (enum bfcp_priority)a->number;
	}
}

static void print_hex(const uint8_t *octets, size_t length)
{
	size_t i;

	for (i = 0; i < length; i++)
		printf("%02x", octets[i]);
}

static void print_attributes(const struct list *list, unsigned depth)
{
	struct le *le;
	size_t i;

	for (le = list_head(list); le; le = le->next) {
		const struct bfcp_attr *a = le->data;

		printf("attribute %u %u %u ", depth, (unsigned)a->type, a->mand ? 1u : 0u);
		switch (a->type) {
		case BFCP_PRIORITY:
			printf("%u", (unsigned)a->v.priority);
			break;
		case BFCP_REQUEST_STATUS:
			printf("%u/%u", (unsigned)a->v.reqstatus.status, a->v.reqstatus.qpos);
			break;
		case BFCP_ERROR_CODE:
			printf("%u:", (unsigned)a->v.errcode.code);
			print_hex(a->v.errcode.details, a->v.errcode.len);
			break;
		case BFCP_ERROR_INFO:
		case BFCP_PART_PROV_INFO:
		case BFCP_STATUS_INFO:
		case BFCP_USER_DISP_NAME:
		case BFCP_USER_URI:
			printf("=");
			print_hex((const uint8_t *)a->v.str, strlen(a->v.str));
			break;
		case BFCP_SUPPORTED_ATTRS:
			printf("=");
			for (i = 0; i < a->v.supattr.attrc; i++)
				printf("%02x", (unsigned)a->v.supattr.attrv[i]);
			break;
		case BFCP_SUPPORTED_PRIMS:
			printf("=");
			for (i = 0; i < a->v.supprim.primc; i++)
				printf("%02x", (unsigned)a->v.supprim.primv[i]);
			break;
		default:
			printf("%u", a->v.u16);
			break;
		}
		printf("\n");
		print_attributes(&a->attrl, depth + 1);
	}
}

static void print_message(const struct bfcp_msg *msg)
{
	size_t i;

	printf("message %u %u %u %u %u %u\n", msg->ver, (unsigned)msg->r, (unsigned)msg->prim, msg->confid, msg->tid,
	       msg->userid);
	print_attributes(&msg->attrl, 1);
	for (i = 0; i < msg->uma.typec; i++)
		printf("unknown %u\n", msg->uma.typev[i]);
	printf("end\n");
	fflush(stdout);
}

static int encode(void)
{
	unsigned version = 0, r = 0, primitive = 0, conference = 0, transaction = 0, user = 0;
	char line[MAX_LINE];

	while (fgets(line, sizeof(line), stdin)) {
		if (sscanf(line, "message %u %u %u %u %u %u", &version, &r, &primitive, &conference, &transaction,
			   &user) == 6)
			attribute_count = 0;
		else if (!strncmp(line, "attribute", 9))
			read_attribute(line);
		else if (!strncmp(line, "end", 3)) {
			struct range all = { 0, attribute_count };
			struct bfcp_encode encoder = { encode_range, &all };
			struct mbuf *mb = mbuf_alloc(512);
			int err = bfcp_msg_encode(mb, (uint8_t)version, r != 0, (enum bfcp_prim)primitive,
						  conference, (uint16_t)transaction, (uint16_t)user, 1,
						  BFCP_ENCODE_HANDLER, 0u, &encoder);

			if (err)
				printf("error %d", err);
			else
				print_hex(mb->buf, mb->end);
			printf("\n");
			mem_deref(mb);
		}
	}
	return 0;
}

static int decode(void)
{
	static char line[2 * MAX_LINE];

	while (fgets(line, sizeof(line), stdin)) {
		struct mbuf *mb = mbuf_alloc(MAX_LINE);
		struct bfcp_msg *msg = NULL;
		size_t at = 0;
		unsigned octet;
		int err;

		while (sscanf(line + at, "%2x", &octet) == 1) {
			(void)mbuf_write_u8(mb, (uint8_t)octet);
			at += 2;
		}
		mb->pos = 0;
		err = bfcp_msg_decode(&msg, mb);
		if (err)
			printf("error %d\nend\n", err);
		else
			print_message(msg);
		mem_deref(msg);
		mem_deref(mb);
	}
	return 0;
}

static void name_of(const char *kind, unsigned code, const char *name)
{
	printf("%s %u %s\n", kind, code, name);
}

static int names(void)
{
	unsigned code;

	for (code = 0; code < 32; code++) {
		name_of("primitive", code, bfcp_prim_name((enum bfcp_prim)code));
		name_of("attribute", code, bfcp_attr_name((enum bfcp_attrib)code));
		name_of("status", code, bfcp_reqstatus_name((enum bfcp_reqstat)code));
		name_of("error", code, bfcp_errcode_name((enum bfcp_err)code));
	}
	return 0;
}

/* --- over UDP --- */

static struct bfcp_conn *connection;
static struct sa server;

static void served(const struct bfcp_msg *msg, void *arg)
{
	enum bfcp_prim primitives[] = { BFCP_FLOOR_REQUEST, BFCP_FLOOR_QUERY, BFCP_HELLO, BFCP_GOODBYE };
	enum bfcp_attrib types[] = { BFCP_FLOOR_ID, BFCP_FLOOR_REQ_INFO };
	struct bfcp_supprim primitive_list = { primitives, 4 };
	struct bfcp_supattr type_list = { types, 2 };
	struct bfcp_reqstatus granted = { BFCP_GRANTED, 0 };
	const struct bfcp_attr *floor = bfcp_msg_attr(msg, BFCP_FLOOR_ID);
	uint16_t request = 789, none = 0;
	const uint16_t *floor_id = floor ? &floor->v.floorid : &none;

	(void)arg;
	if (msg->uma.typec) {
		(void)bfcp_edreply(connection, msg, BFCP_UNKNOWN_MAND_ATTR, msg->uma.typev, msg->uma.typec);
		return;
	}
	switch (msg->prim) {
	case BFCP_HELLO:
		(void)bfcp_reply(connection, msg, BFCP_HELLO_ACK, 2, BFCP_SUPPORTED_PRIMS | BFCP_MANDATORY, 0u,
				 &primitive_list, BFCP_SUPPORTED_ATTRS | BFCP_MANDATORY, 0u, &type_list);
		break;
	case BFCP_FLOOR_REQUEST:
		(void)bfcp_reply(connection, msg, BFCP_FLOOR_REQUEST_STATUS, 1, BFCP_FLOOR_REQ_INFO | BFCP_MANDATORY,
				 2u, &request, BFCP_OVERALL_REQ_STATUS | BFCP_MANDATORY, 1u, &request,
				 BFCP_REQUEST_STATUS | BFCP_MANDATORY, 0u, &granted,
				 BFCP_FLOOR_REQ_STATUS | BFCP_MANDATORY, 0u, floor_id);
		break;
	case BFCP_FLOOR_QUERY:
		(void)bfcp_reply(connection, msg, BFCP_FLOOR_STATUS, 1, BFCP_FLOOR_ID | BFCP_MANDATORY, 0u, floor_id);
		(void)bfcp_notify(connection, &msg->src, msg->ver, BFCP_FLOOR_STATUS, msg->confid, msg->userid, 1,
				  BFCP_FLOOR_ID | BFCP_MANDATORY, 0u, floor_id);
		break;
	case BFCP_FLOOR_STATUS_ACK:
		break;
	case BFCP_GOODBYE:
		(void)bfcp_reply(connection, msg, BFCP_GOODBYE_ACK, 0);
		re_cancel();
		break;
	default:
		(void)bfcp_ereply(connection, msg, BFCP_UNKNOWN_PRIM);
		break;
	}
}

static void called(const struct bfcp_msg *msg, void *arg)
{
	(void)arg;
	print_message(msg);
	if (msg->prim == BFCP_FLOOR_STATUS && !msg->r) {
		(void)bfcp_reply(connection, msg, BFCP_FLOOR_STATUS_ACK, 0);
		re_cancel();
	}
}

static void answered(int err, const struct bfcp_msg *msg, void *arg)
{
	static const uint16_t floor = 543;

	(void)arg;
	if (err || !msg) {
		printf("error %d\n", err);
		re_cancel();
		return;
	}
	print_message(msg);
	if (msg->prim == BFCP_HELLO_ACK)
		(void)bfcp_request(connection, &server, BFCP_VER2, BFCP_FLOOR_QUERY, 0x11223344, 234, answered, NULL, 1,
				   BFCP_FLOOR_ID | BFCP_MANDATORY, 0u, &floor);
}

static int talk(const char *port)
{
	struct sa local;
	int err = libre_init();

	if (!err)
		err = sa_set_str(&local, "127.0.0.1", 0);
	if (!err)
		err = bfcp_listen(&connection, BFCP_UDP, &local, NULL, port ? called : served, NULL);
	if (!err && port) {
		err = sa_set_str(&server, "127.0.0.1", (uint16_t)atoi(port));
		if (!err)
			err = bfcp_request(connection, &server, BFCP_VER2, BFCP_HELLO, 0x11223344, 234, answered, NULL,
					   0);
	}
	else if (!err) {
		err = udp_local_get(bfcp_sock(connection), &local);
		printf("%u\n", sa_port(&local));
		fflush(stdout);
	}
	if (!err)
		err = re_main(NULL);
	mem_deref(connection);
	libre_close();
	return err;
}

int main(int argc, char **argv)
{
	if (argc == 2 && !strcmp(argv[1], "encode"))
		return encode();
	if (argc == 2 && !strcmp(argv[1], "decode"))
		return decode();
	if (argc == 2 && !strcmp(argv[1], "names"))
		return names();
	if (argc == 2 && !strcmp(argv[1], "serve"))
		return talk(NULL);
	if (argc == 3 && !strcmp(argv[1], "call"))
		return talk(argv[2]);
	return 2;
}
