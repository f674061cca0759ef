/* What recordings need of baresip and linphone that no option of theirs gives; for LD_PRELOAD.
 *
 * Nothing here touches the cryptography: the peers derive their keys, encrypt and authenticate by themselves.
 *
 *   SHIM_KEYLOG         file to which the master secrets of (D)TLS are appended as a key log (RFC 9850)
 *   SHIM_SRTP_PROFILES  baresip: DTLS-SRTP profiles that are offered and accepted, in OpenSSL's form
 *   SHIM_SRTP_PROFILE   linphone: the one DTLS-SRTP protection profile, as a number (RFC 5764 4.1.2)
 *   SHIM_SDES_SUITE     baresip: the suite that it offers, which is AES_CM_128_HMAC_SHA1_80 without
 *   SHIM_FIRST_SEQ      baresip: the first RTP sequence number, so that a short call passes a rollover
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *next(const char *name)
{
	void *found = dlsym(RTLD_NEXT, name);
	if (!found) {
		fprintf(stderr, "peer_shim: no %s\n", name);
		abort();
	}
	return found;
}

static void append(const char *line)
{
	const char *path = getenv("SHIM_KEYLOG");
	FILE *file = path ? fopen(path, "a") : NULL;
	if (file) {
		fprintf(file, "%s\n", line);
		fclose(file);
	}
}

/* OpenSSL 3.0, which baresip's library libre uses. */

static void openssl_keylog(const void *ssl, const char *line)
{
	(void)ssl;
	append(line);
}

void *SSL_CTX_new(const void *method)
{
	void *(*original)(const void *) = next("SSL_CTX_new");
	void (*set_callback)(void *, void (*)(const void *, const char *)) = next("SSL_CTX_set_keylog_callback");
	void *context = original(method);
	if (context)
		set_callback(context, openssl_keylog);
	return context;
}

int SSL_CTX_set_tlsext_use_srtp(void *context, const char *profiles)
{
	int (*original)(void *, const char *) = next("SSL_CTX_set_tlsext_use_srtp");
	const char *wanted = getenv("SHIM_SRTP_PROFILES");
	return original(context, wanted ? wanted : profiles);
}

/* libre 1.1: the SDES module duplicates the name of its default suite; RTP starts at a random number of 15 bits. */

int str_dup(char **copy, const char *text)
{
	int (*original)(char **, const char *) = next("str_dup");
	const char *suite = getenv("SHIM_SDES_SUITE");
	if (suite && text && !strcmp(text, "AES_CM_128_HMAC_SHA1_80"))
		text = suite;
	return original(copy, text);
}

struct mbuf {
	uint8_t *buf;
	size_t size, pos, end;
};

int srtp_encrypt(void *srtp, struct mbuf *packet)
{
	int (*original)(void *, struct mbuf *) = next("srtp_encrypt");
	static int offset = -1;
	const char *first = getenv("SHIM_FIRST_SEQ");
	if (first && packet->end - packet->pos >= 12) {
		uint8_t *seq = packet->buf + packet->pos + 2;
		uint16_t number = (uint16_t)(seq[0] << 8 | seq[1]);
		if (offset < 0)
			offset = (uint16_t)(atoi(first) - number);
		number = (uint16_t)(number + offset);
		seq[0] = (uint8_t)(number >> 8);
		seq[1] = (uint8_t)number;
	}
	return original(srtp, packet);
}

/* mbed TLS 2.28, which linphone uses: its own callback that derives the SRTP keys is called as before. */

typedef int export_keys(void *context, const unsigned char *master, const unsigned char *keys, size_t mac, size_t key,
			size_t iv, const unsigned char client[32], const unsigned char server[32], int prf);

#define MAX_CONFIGURATIONS 64
static struct { export_keys *callback; void *context; } wrapped[MAX_CONFIGURATIONS];
static int used;

static int mbedtls_keylog(void *context, const unsigned char *master, const unsigned char *keys, size_t mac, size_t key,
			  size_t iv, const unsigned char client[32], const unsigned char server[32], int prf)
{
	char line[256] = "CLIENT_RANDOM ";
	char *end = line + strlen(line);
	long slot = (long)context;
	for (int i = 0; i < 32; i++)
		end += sprintf(end, "%02x", client[i]);
	*end++ = ' ';
	for (int i = 0; i < 48; i++)
		end += sprintf(end, "%02x", master[i]);
	append(line);
	return wrapped[slot].callback(wrapped[slot].context, master, keys, mac, key, iv, client, server, prf);
}

void mbedtls_ssl_conf_export_keys_ext_cb(void *configuration, export_keys *callback, void *context)
{
	void (*original)(void *, export_keys *, void *) = next("mbedtls_ssl_conf_export_keys_ext_cb");
	if (!callback || used == MAX_CONFIGURATIONS) {
		original(configuration, callback, context);
		return;
	}
	wrapped[used].callback = callback;
	wrapped[used].context = context;
	original(configuration, mbedtls_keylog, (void *)(long)used++);
}

int mbedtls_ssl_conf_dtls_srtp_protection_profiles(void *configuration, const uint16_t *profiles)
{
	int (*original)(void *, const uint16_t *) = next("mbedtls_ssl_conf_dtls_srtp_protection_profiles");
	static uint16_t only[2];
	const char *wanted = getenv("SHIM_SRTP_PROFILE");
	if (wanted) {
		only[0] = (uint16_t)atoi(wanted); /* the list ends with 0; mbed TLS keeps the pointer */
		profiles = only;
	}
	return original(configuration, profiles);
}
