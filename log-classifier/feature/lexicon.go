package feature

import "strings"

// Lexicon classes: what a word says about how bad a message is, whatever the system. A word
// may belong to several.
const (
	lexFatal = iota
	lexError
	lexWarn
	lexEvent  // something of the normal life of a service happened
	lexDetail // what programs tell their developers
	lexScope  // how much is hit: all, none, last, system
	lexThing  // parts whose failure people are called for
	lexMend   // it is over, or was handled
	lexCount
)

// lexicons are space separated stems: a word belongs when it equals one, or starts with one
// that ends in '*'.
var lexicons = [lexCount]string{
	lexFatal: `panic panicked panicking fatal crash* oops abort* corrupt* dead died dies die dying killed killing kill oom unrecoverable uncorrectable uncorrected
		unrecovered irrecoverable emergency emerg catastroph* assert* segfault* coredump meltdown fire smoke bugcheck halt* deadlock* lockup crit critical alert
		severe unusable inaccessible unavailable outage shutdown shutting terminat* exhaust* destroyed lost losing loss wedged hung hang stuck split brain
		panics explod* breach* compromised ransom* breakin bricked unbootable unreadable unmountable fenced stonith evacuat* tripped trip leak* down
		nonfunctional functional failstop offline`,
	lexError: `error* err errno fail* failure exception* fault* cannot cant unable invalid illegal bad broken denied deny refused refus* reject* wrong
		undefined unhandled uncaught unexpected malformed violat* damaged mismatch* nonexistent unresolved unknown unsupported unrecognized unrecognised
		severed parity eio enospc enomem sigsegv sigabrt sigbus traceback throw threw thrown could couldnt nack undeliver* bounced conflict* inconsisten* incorrect
		missing incomplete untrusted unauthori* forbidden`,
	lexWarn: `warn* retry* retri* timeout* timedout slow* degrad* deprecat* expir* exceed* delay* drop* full unreachable lag* late stale obsolete
		interrupt* skip* ignor* throttl* overload* congest* limit* attempt* suspicious possible may might low high near almost over above below hot
		suspend* disconnect* blocked backoff overflow underflow overrun truncated misconfigur* discard* flap* pending wait* old insecure
		severely temporar* without too many much broken reset resets reconnect* hijack* spoof* forged disabled fallback falling duplicate* unreach*
		cancel* cancelled canceled again giving gave`,
	lexEvent: `start* stop* initiali* init connect* open* clos* accept* regist* complet* success* finish* creat* load* mount* unmount* login logout logged
		session* enabl* join* add added adding remov* updat* launch* ready listen* received receiving sent sending delet* allocat* assign* bound
		establish* transition* elect* leader follower configur* setting reload* restart* install* upgrad* scheduled running deploy* exit* ended begin began
		attach* detach* saved stored snapshot* backup* replicat* verif* transfer* granted elected booted boot switched changed change accepted published
		power powered user admin operator request* command* activat* deactivat* migrat* resum* spawn* release* acquir* bind binding renew* import* export*
		version state using serving served invok* submit* commit* inserted discover* subscrib* online entering entered leaving up`,
	lexDetail: `debug trace verbose dump poll* heartbeat* tick stat stats statistic* cache* callback* layout view frame get set gets sets keepalive refresh*
		counter* count counts total calculat* recalculat* comput* elapsed average avg max min ratio buffer* queue* loop thread pool token* flag flags index
		pointer address addresses register registers offset size sizes width height bytes microseconds milliseconds ping pong probe* probing iterat*
		visit* check checking handler dispatch* notif* progress step steps value values null nil true false param* arg args key keys table tables entry entries
		reserved memory mapped mapping hash order level mode option* feature* vendor detected found device driver bus irq gpu console map node nodes
		resolve* resolving parse* parsing headroom listener on screen window animat* draw* render* event events message type class object instance bit mask
		idle nop noop nothing unchanged empty same already next current last`,
	lexScope: `all every no none any entire whole both last cluster system kernel quorum master primary main each host hosts data service services process server
		database production permanently completely never zero only anywhere nothing nobody node machine application`,
	lexThing: `disk* memory mem cpu fan fans temperature temp power psu raid ecc dimm battery volume volumes storage filesystem fs mount drive drives controller
		cache link interface port voltage sensor chassis board card bmc nvme scsi sata hba nic dma pci pcie processor core cores rack ups heap space inode
		inodes swap journal replica replicas partition partitions table torus tree ddr dram cooling pump valve`,
	lexMend: `recover* correct* retrying resumed restored ok okay succeed* success* normal cleared clear fixed healthy harmless resolved resync* repaired
		repair* restored reconnected completed complete done passed good gracefully graceful clean cleanly back solved ignored ignoring fine stable
		expected intentionally planned test drill request requested operator user admin maintenance`,
}

// lexTable maps words, and prefixes that are marked as such, to their classes.
type lexTable struct {
	exact  map[string]uint16
	prefix map[string]uint16
}

func newLexTable() lexTable {
	t := lexTable{map[string]uint16{}, map[string]uint16{}}
	for class, words := range lexicons {
		for w := range strings.FieldsSeq(words) {
			if p, ok := strings.CutSuffix(w, "*"); ok {
				t.prefix[p] |= 1 << class
			} else {
				t.exact[w] |= 1 << class
			}
		}
	}
	return t
}

// classes returns the bit set of the classes of a lower-case word.
func (t lexTable) classes(w []byte) uint16 {
	set := t.exact[string(w)]
	for n := 3; n <= min(len(w), 12); n++ {
		set |= t.prefix[string(w[:n])]
	}
	return set
}
