/* ngatu_gate: a plugin of mosquitto 2 that keeps what no line of its configuration can.
 *
 * Invariants
 * 1. Through the boxes' door come boxes only, each under its own name as client id; through the stations' door come
 *    stations and operators only. The kind is in the name that the authority signed: only a box's has no dot.
 * 2. Nobody takes the session of another name, at either door.
 * 3. A connection ends within a second or two after its certificate has ended or was revoked, also one that
 *    resumed a TLS session: there OpenSSL looks neither at the date nor at the list.
 * 4. Only topics that are named are kept (retained), only up to a size and without properties; whoever may clear may
 *    do nothing else.
 * 5. A box has a bounded number of subscriptions.
 * 6. Beside its own name a box may look whether it is let in, and do nothing else: what speaks or listens under
 *    two ids at one time would not be noticed by the box.
 *
 * Whatever else a name may do stands in the access file: what is not refused here is left to it. The table of
 * sessions is common to both doors; the rest belongs to the door at which the plugin is loaded. mosquitto has one
 * thread. Options, each with plugin_opt_: door, crl, keep (any number of filters), keep_bytes, clear (any number
 * of names), subscriptions.
 */
#include <ctype.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <mosquitto.h>
#include <mosquitto_broker.h>
#include <mosquitto_plugin.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#define NAME_CHARS 64
#define BOX_CHARS 32
#define NAMES 64
#define REMEMBERED 65536 /* sessions whose owner is known, connected or not */
#define STEP 64

struct door {
	mosquitto_plugin_id_t *id;
	bool boxes;
	char *crl_path;
	X509_CRL *crl;
	char *keep[NAMES];
	int keeps;
	unsigned long keep_bytes;
	char *clear[NAMES];
	int clears;
	int subscriptions;
};

/* Whose a session is. It is remembered while nobody is connected, for the broker may hold messages for it. */
struct session {
	char *client_id;
	char name[NAME_CHARS + 1];
	struct mosquitto *client; /* NULL: not connected; compared, never followed */
	struct door *door;
	time_t ends;
	ASN1_INTEGER *serial;
};

static struct session *sessions;
static size_t count, room, oldest;

static struct session *find(const char *client_id)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(sessions[i].client_id, client_id) == 0)
			return &sessions[i];
	return NULL;
}

/* A place for one more: at the end, or of the one that has been away, once there are very many. */
static struct session *place(void)
{
	if (count < REMEMBERED) {
		if (count == room) {
			struct session *more = realloc(sessions, (room + STEP) * sizeof *more);
			if (more == NULL)
				return NULL;
			sessions = more;
			room += STEP;
		}
		memset(&sessions[count], 0, sizeof *sessions);
		return &sessions[count++];
	}
	for (size_t tried = 0; tried < count; tried++) {
		struct session *one = &sessions[oldest++ % count];
		if (one->client == NULL) {
			free(one->client_id);
			ASN1_INTEGER_free(one->serial);
			memset(one, 0, sizeof *one);
			return one;
		}
	}
	return NULL;
}

/* The one common name of a certificate, if the authority could have signed it. */
static bool read_name(X509 *certificate, char *name)
{
	X509_NAME *subject = X509_get_subject_name(certificate);
	int at = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);
	if (at < 0 || X509_NAME_get_index_by_NID(subject, NID_commonName, at) >= 0)
		return false;
	ASN1_STRING *value = X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at));
	int length = ASN1_STRING_length(value);
	const unsigned char *text = ASN1_STRING_get0_data(value);
	if (length < 1 || length > NAME_CHARS)
		return false;
	for (int i = 0; i < length; i++)
		if (!(islower(text[i]) || isdigit(text[i]) || text[i] == '-' || text[i] == '.'))
			return false;
	memcpy(name, text, (size_t)length);
	name[length] = '\0';
	return true;
}

static bool begins(const char *text, const char *with)
{
	return strncmp(text, with, strlen(with)) == 0;
}

/* Invariant 1. A box may also be there as NAME-check: `ngatu check` looks whether the broker lets it in. */
static const char *unfit(const struct door *door, const char *name, const char *client_id)
{
	bool box = strchr(name, '.') == NULL && strcmp(name, "station") != 0 && strlen(name) <= BOX_CHARS;
	if (!door->boxes)
		return begins(name, "station.") || begins(name, "operator.") ? NULL : "not the stations' certificate";
	if (!box)
		return "not a box's certificate";
	size_t length = strlen(name);
	if (!begins(client_id, name) || (client_id[length] != '\0' && strcmp(client_id + length, "-check") != 0))
		return "the client id is not its name";
	return NULL;
}

static bool revoked(const struct door *door, const ASN1_INTEGER *serial)
{
	X509_REVOKED *found = NULL;
	return X509_CRL_get0_by_serial(door->crl, &found, serial) == 1;
}

static time_t end_of(const X509 *certificate)
{
	struct tm parts;
	memset(&parts, 0, sizeof parts);
	return ASN1_TIME_to_tm(X509_get0_notAfter(certificate), &parts) == 1 ? timegm(&parts) : 0;
}

/* Note who is there now. A box's own name is stronger than whoever was there under it. */
static const char *seat(struct door *door, struct mosquitto *client, const char *name, X509 *certificate)
{
	const char *client_id = mosquitto_client_id(client);
	struct session *one = find(client_id);
	if (one != NULL && strcmp(one->name, name) != 0 && strcmp(client_id, name) != 0)
		return "the session is another's"; /* invariant 2 */
	ASN1_INTEGER *serial = ASN1_INTEGER_dup(X509_get0_serialNumber(certificate));
	if (one == NULL && serial != NULL && (one = place()) != NULL && (one->client_id = strdup(client_id)) == NULL) {
		*one = sessions[--count]; /* it was the last one */
		one = NULL;
	}
	if (one == NULL || serial == NULL) {
		ASN1_INTEGER_free(serial);
		return "there is no room";
	}
	ASN1_INTEGER_free(one->serial);
	strcpy(one->name, name);
	one->client = client;
	one->door = door;
	one->ends = end_of(certificate);
	one->serial = serial;
	return NULL;
}

static const char *judge(struct door *door, struct mosquitto *client, X509 *certificate, char *name)
{
	const char *client_id = mosquitto_client_id(client), *why;
	if (client_id == NULL || certificate == NULL)
		return "no certificate";
	if (!read_name(certificate, name))
		return "not a name of ours";
	if ((why = unfit(door, name, client_id)) != NULL)
		return why;
	if (end_of(certificate) <= time(NULL))
		return "its certificate has ended";
	if (revoked(door, X509_get0_serialNumber(certificate)))
		return "its certificate is revoked";
	return seat(door, client, name, certificate);
}

/* Who is it? mosquitto asks at CONNECT, before a session is taken over, and of everybody when it reads its files. */
static int admit(int event, void *data, void *userdata)
{
	struct mosquitto_evt_basic_auth *asked = data;
	char name[NAME_CHARS + 1] = "?";
	X509 *certificate = mosquitto_client_certificate(asked->client);
	const char *why = judge(userdata, asked->client, certificate, name);
	X509_free(certificate);
	(void)event;
	if (why == NULL && mosquitto_set_username(asked->client, name) != MOSQ_ERR_SUCCESS)
		why = "its name cannot be noted";
	if (why == NULL)
		return MOSQ_ERR_SUCCESS;
	mosquitto_log_printf(MOSQ_LOG_WARNING, "ngatu_gate: %s as '%.64s' from %s is refused: %s", name,
		mosquitto_client_id(asked->client), mosquitto_client_address(asked->client), why);
	return MOSQ_ERR_AUTH;
}

static bool kept(const struct door *door, const char *topic)
{
	for (int i = 0; i < door->keeps; i++) {
		bool fits = false;
		if (mosquitto_topic_matches_sub(door->keep[i], topic, &fits) == MOSQ_ERR_SUCCESS && fits)
			return true;
	}
	return false;
}

static bool clears_only(const struct door *door, const char *name)
{
	for (int i = 0; name != NULL && i < door->clears; i++)
		if (strcmp(door->clear[i], name) == 0)
			return true;
	return false;
}

/* Whether it is there as NAME-check. */
static bool looks_only(const struct door *door, const struct mosquitto *client)
{
	const char *client_id = mosquitto_client_id(client), *name = mosquitto_client_username(client);
	return door->boxes && (client_id == NULL || name == NULL || strcmp(client_id, name) != 0);
}

/* What the access file cannot say; what is not refused here is asked there. */
static int allow(int event, void *data, void *userdata)
{
	struct mosquitto_evt_acl_check *asked = data;
	struct door *door = userdata;
	(void)event;
	if (asked->access != MOSQ_ACL_UNSUBSCRIBE && looks_only(door, asked->client))
		return MOSQ_ERR_ACL_DENIED; /* invariant 6 */
	if (asked->access == MOSQ_ACL_SUBSCRIBE && door->boxes
		&& mosquitto_client_sub_count(asked->client) >= door->subscriptions)
		return MOSQ_ERR_ACL_DENIED; /* invariant 5 */
	if (asked->access != MOSQ_ACL_WRITE)
		return MOSQ_ERR_PLUGIN_DEFER;
	bool clearing = asked->retain && asked->payloadlen == 0;
	if (!clearing && clears_only(door, mosquitto_client_username(asked->client)))
		return MOSQ_ERR_ACL_DENIED;
	if (asked->retain && !clearing && (asked->payloadlen > door->keep_bytes || !kept(door, asked->topic)))
		return MOSQ_ERR_ACL_DENIED; /* invariant 4 */
	return MOSQ_ERR_PLUGIN_DEFER;
}

/* Invariant 4 for what `allow` is not shown: the broker keeps a message's properties with it, and counts them to no
 * bound but a packet's. A state needs none. mosquitto frees what is taken out here. */
static int strip(int event, void *data, void *userdata)
{
	struct mosquitto_evt_message *told = data;
	(void)event;
	(void)userdata;
	if (told->retain)
		told->properties = NULL;
	return MOSQ_ERR_SUCCESS;
}

static int left(int event, void *data, void *userdata)
{
	struct mosquitto_evt_disconnect *gone = data;
	(void)event;
	(void)userdata;
	for (size_t i = 0; i < count; i++)
		if (sessions[i].client == gone->client)
			sessions[i].client = NULL;
	return MOSQ_ERR_SUCCESS;
}

/* Invariant 3, each second. Ending a connection calls `left`, which changes no place in the table. */
static int look(int event, void *data, void *userdata)
{
	static time_t looked;
	time_t now = time(NULL);
	(void)event;
	(void)data;
	(void)userdata;
	if (now == looked)
		return MOSQ_ERR_SUCCESS;
	looked = now;
	for (size_t i = 0; i < count; i++) {
		struct session *one = &sessions[i];
		if (one->client == NULL || (one->ends > now && !revoked(one->door, one->serial)))
			continue;
		mosquitto_log_printf(MOSQ_LOG_WARNING, "ngatu_gate: %s as '%.64s' is put out: its certificate %s",
			one->name, one->client_id, one->ends > now ? "is revoked" : "has ended");
		one->client = NULL;
		mosquitto_kick_client_by_clientid(one->client_id, true);
	}
	return MOSQ_ERR_SUCCESS;
}

/* A list that cannot be read leaves the one before in force. */
static bool read_list(struct door *door)
{
	BIO *file = BIO_new_file(door->crl_path, "r");
	X509_CRL *list = file == NULL ? NULL : PEM_read_bio_X509_CRL(file, NULL, NULL, NULL);
	BIO_free(file);
	if (list == NULL) {
		mosquitto_log_printf(MOSQ_LOG_ERR, "ngatu_gate: %s: the list of the revoked cannot be read", door->crl_path);
		return false;
	}
	X509_CRL_free(door->crl);
	door->crl = list;
	return true;
}

static int reload(int event, void *data, void *userdata)
{
	(void)event;
	(void)data;
	read_list(userdata);
	return MOSQ_ERR_SUCCESS;
}

/* The words of the configuration may go when it is read again: copies stay, as long as the broker runs. */
static bool understood(struct door *door, const char *key, const char *value)
{
	if (strcmp(key, "door") == 0 && (strcmp(value, "boxes") == 0 || strcmp(value, "stations") == 0))
		door->boxes = value[0] == 'b';
	else if (strcmp(key, "crl") == 0)
		return (door->crl_path = strdup(value)) != NULL;
	else if (strcmp(key, "keep") == 0 && door->keeps < NAMES)
		return (door->keep[door->keeps++] = strdup(value)) != NULL;
	else if (strcmp(key, "keep_bytes") == 0)
		door->keep_bytes = strtoul(value, NULL, 10);
	else if (strcmp(key, "clear") == 0 && door->clears < NAMES)
		return (door->clear[door->clears++] = strdup(value)) != NULL;
	else if (strcmp(key, "subscriptions") == 0)
		door->subscriptions = atoi(value);
	else
		return false;
	return true;
}

int mosquitto_plugin_version(int supported_count, const int *supported)
{
	for (int i = 0; i < supported_count; i++)
		if (supported[i] == MOSQ_PLUGIN_VERSION)
			return MOSQ_PLUGIN_VERSION;
	return -1;
}

int mosquitto_plugin_init(mosquitto_plugin_id_t *id, void **userdata, struct mosquitto_opt *options, int number)
{
	struct door *door = calloc(1, sizeof *door);
	if (door == NULL)
		return MOSQ_ERR_NOMEM;
	door->id = id;
	door->boxes = true;
	for (int i = 0; i < number; i++)
		if (!understood(door, options[i].key, options[i].value)) {
			mosquitto_log_printf(MOSQ_LOG_ERR, "ngatu_gate: plugin_opt_%s %s: no such option, or too many",
				options[i].key, options[i].value);
			free(door);
			return MOSQ_ERR_INVAL;
		}
	if (door->crl_path == NULL || !read_list(door)) {
		free(door);
		return MOSQ_ERR_INVAL;
	}
	*userdata = door;
	const struct { int event; MOSQ_FUNC_generic_callback call; } calls[] = {
		{MOSQ_EVT_BASIC_AUTH, admit}, {MOSQ_EVT_ACL_CHECK, allow}, {MOSQ_EVT_DISCONNECT, left},
		{MOSQ_EVT_TICK, look}, {MOSQ_EVT_RELOAD, reload}, {MOSQ_EVT_MESSAGE, strip},
	};
	for (size_t i = 0; i < sizeof calls / sizeof *calls; i++) {
		int failed = mosquitto_callback_register(id, calls[i].event, calls[i].call, NULL, door);
		if (failed)
			return failed;
	}
	return MOSQ_ERR_SUCCESS;
}

/* mosquitto forgets its callbacks by itself when it ends; nobody is there any more. */
int mosquitto_plugin_cleanup(void *userdata, struct mosquitto_opt *options, int number)
{
	struct door *door = userdata;
	(void)options;
	(void)number;
	X509_CRL_free(door->crl);
	free(door);
	return MOSQ_ERR_SUCCESS;
}
