// One energy table for each pair of atom kinds, where Vina 1.2.7 makes one for each pair of atoms.
//
// Put before every source of Vina by the compiler's -include, this stands in for the class `precalculate_byatom` and
// leaves the sources alone. A table depends on the kinds of its two atoms only, so every number stays the same to the
// last bit. What changes is memory: a ligand of 30 atoms has 465 pairs of atoms and a table of 300 kB for each, which
// no cache holds, but some 20 pairs of kinds. `make bench-builds` compares both.

#ifndef MAD_VINA_SHARED_TABLES_H
#define MAD_VINA_SHARED_TABLES_H

#include "model.h"  // Complete before the header that is replaced, which only declares it.

#define precalculate_byatom unused_precalculate_byatom
#include "precalculate.h"
#undef precalculate_byatom

#include <algorithm>
#include <map>
#include <tuple>
#include <utility>
#include <vector>

struct precalculate_byatom {
    precalculate_byatom() {}

    precalculate_byatom(const ScoringFunction& scoring, const model& molecule, fl cap = max_fl, fl entries_per_sqr = 32)
        : m_entries_per_sqr(entries_per_sqr),
          m_cutoff_sqr(sqr(scoring.get_cutoff())),
          m_max_cutoff_sqr(sqr(scoring.get_max_cutoff())),
          m_atoms(molecule.num_atoms()),
          m_table_of(m_atoms * m_atoms) {
        // Potentials of AutoDock 4 read the charge and the AutoDock type as well; the others the type of X-Score only.
        const bool is_charged = scoring.get_atom_typing() != atom_type::XS;
        atomv atoms = molecule.get_atoms();
        std::map<std::pair<kind, kind>, sz> known;
        for (sz i = 0; i < m_atoms; ++i) {
            for (sz j = i; j < m_atoms; ++j) {
                const kind first = kind_of(atoms[i], is_charged), second = kind_of(atoms[j], is_charged);
                const auto found = known.insert({std::minmax(first, second), m_tables.size()});
                if (found.second) m_tables.push_back(table_of(scoring, atoms[i], atoms[j], cap));
                m_table_of[i * m_atoms + j] = m_table_of[j * m_atoms + i] = found.first->second;
            }
        }
    }

    fl eval_fast(sz i, sz j, fl distance_sqr) const { return table(i, j).eval_fast(distance_sqr); }
    pr eval_deriv(sz i, sz j, fl distance_sqr) const { return table(i, j).eval_deriv(distance_sqr); }
    fl cutoff_sqr() const { return m_cutoff_sqr; }
    fl max_cutoff_sqr() const { return m_max_cutoff_sqr; }

private:
    typedef std::tuple<sz, sz, fl> kind;

    static kind kind_of(const atom& one, bool is_charged) {
        return is_charged ? kind(one.xs, one.ad, one.charge) : kind(one.xs, 0, 0);
    }

    const precalculate_element& table(sz i, sz j) const { return m_tables[m_table_of[i * m_atoms + j]]; }

    precalculate_element table_of(const ScoringFunction& scoring, atom& first, atom& second, fl cap) const {
        // Two entries beyond the last distance, because interpolation reads the next one.
        const sz n_entries = sz(m_entries_per_sqr * m_max_cutoff_sqr) + 3;
        precalculate_element made(n_entries, m_entries_per_sqr);
        flv distances(n_entries);
        for (sz k = 0; k < n_entries; ++k) {
            distances[k] = std::sqrt(k / m_entries_per_sqr);
            made.smooth[k].first = std::min(cap, scoring.eval(first, second, distances[k]));
        }
        made.init_from_smooth_fst(distances);
        return made;
    }

    fl m_entries_per_sqr = 0;
    fl m_cutoff_sqr = 0;
    fl m_max_cutoff_sqr = 0;
    sz m_atoms = 0;
    std::vector<sz> m_table_of;  // of each pair of atoms, in rows
    std::vector<precalculate_element> m_tables;
};

#endif
